package io.agentmemory.consolidation.dao;

import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What kind of knowledge a memory holds. */
public enum MemoryType {
  /** How an error was put right. */
  ERROR_FIX("error_fix"),
  /** Something found out. */
  DISCOVERY("discovery"),
  /** A choice that was made, with its reasons. */
  DECISION("decision"),
  /** A lesson for the next time. */
  LEARNING("learning"),
  /** A trap to stay clear of. */
  WARNING("warning"),
  /** How the code base is built. */
  CODEBASE_KNOWLEDGE("codebase_knowledge"),
  /**
   * A type that this version does not know, because a newer one wrote it. Only ever read: it is
   * refused on the way in.
   */
  UNKNOWN("unknown");

  private static final Map<String, MemoryType> BY_VALUE =
      Stream.of(values())
          .filter(type -> type != UNKNOWN)
          .collect(Collectors.toUnmodifiableMap(MemoryType::value, Function.identity()));

  private final String value;

  MemoryType(String value) {
    this.value = value;
  }

  /**
   * The type as it is written in the database.
   *
   * @return the value of the column {@code memory_type}
   */
  public String value() {
    return value;
  }

  /**
   * The type that the database's value stands for.
   *
   * @param value the value of the column {@code memory_type}
   * @return the type, {@link #UNKNOWN} for a value that this version does not know
   */
  public static MemoryType of(String value) {
    return BY_VALUE.getOrDefault(Checks.notNull("value", value), UNKNOWN);
  }
}
