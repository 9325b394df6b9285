package io.agentmemory.consolidation.dao;

import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What led to a job. */
public enum TriggerType {
  /** A schedule of the host's. */
  SCHEDULED("scheduled"),
  /** Somebody's wish. */
  MANUAL("manual"),
  /** So many memories had come together. */
  THRESHOLD("threshold"),
  /**
   * A trigger that this version does not know, because a newer one wrote it. Only ever read: it is
   * refused on the way in.
   */
  UNKNOWN("unknown");

  private static final Map<String, TriggerType> BY_VALUE =
      Stream.of(values())
          .filter(trigger -> trigger != UNKNOWN)
          .collect(Collectors.toUnmodifiableMap(TriggerType::value, Function.identity()));

  private final String value;

  TriggerType(String value) {
    this.value = value;
  }

  /**
   * The trigger as it is written in the database.
   *
   * @return the value of the column {@code trigger_type}
   */
  public String value() {
    return value;
  }

  /**
   * The trigger that the database's value stands for.
   *
   * @param value the value of the column {@code trigger_type}
   * @return the trigger, {@link #UNKNOWN} for a value that this version does not know
   */
  public static TriggerType of(String value) {
    return BY_VALUE.getOrDefault(Checks.notNull("value", value), UNKNOWN);
  }
}
