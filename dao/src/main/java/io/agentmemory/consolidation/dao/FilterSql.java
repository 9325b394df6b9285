package io.agentmemory.consolidation.dao;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** The SQL of a {@link MemoryFilter}: one condition for each part of it that is set. */
final class FilterSql {
  private FilterSql() {}

  /**
   * Which parts are set, as bits: filters of one shape share their SQL, and the planner sees only
   * the conditions that there are.
   */
  static int shape(MemoryFilter filter) {
    return bit(!filter.types().isEmpty(), 0)
        | bit(!filter.levels().isEmpty(), 1)
        | bit(!filter.anyTags().isEmpty(), 2)
        | bit(!filter.allTags().isEmpty(), 3)
        | bit(!filter.patternTypes().isEmpty(), 4)
        | bit(filter.minConfidence() != null, 5)
        | bit(filter.from() != null, 6)
        | bit(filter.to() != null, 7);
  }

  private static int bit(boolean set, int position) {
    return set ? 1 << position : 0;
  }

  private static final List<String> CONDITIONS =
      List.of(
          " and memory_type = any (:types)",
          " and abstraction_level = any (:levels)",
          " and tags && :anyTags",
          " and tags @> :allTags",
          " and pattern_type = any (:patternTypes)",
          " and confidence_score >= :minConfidence",
          " and consolidated_at >= :from",
          " and consolidated_at < :to");

  private static final int TYPES_AND_LEVELS = 0b0000_0011;

  // Parts of a shape that indexes of revision consolidation_001 serve.
  static final int ANY_TAGS = 0b0000_0100;
  static final int ALL_TAGS = 0b0000_1000;
  static final int PATTERNS = 0b0001_0000;
  static final int TIMES = 0b1100_0000;

  /** Whether a filter of this shape asks for types or levels alone. */
  static boolean onlyTypesAndLevels(int shape) {
    return (shape & ~TYPES_AND_LEVELS) == 0;
  }

  /**
   * Whether a plan for any values could take an index of revision {@code consolidation_001} for
   * more selective than the project, which it is not for all values.
   */
  static boolean misleads(int shape) {
    return (shape & (PATTERNS | TIMES)) != 0;
  }

  /** The conditions for counting the rows of the types, and levels, that a shape asks for. */
  static String ofTypes(int shape) {
    return " and embedding is not null" + conditions(shape & TYPES_AND_LEVELS);
  }

  /** The conditions of a shape, each with {@code and} in front. */
  static String conditions(int shape) {
    StringBuilder sql = new StringBuilder();
    for (int i = 0; i < CONDITIONS.size(); i++) {
      if ((shape & 1 << i) != 0) {
        sql.append(CONDITIONS.get(i));
      }
    }
    return sql.toString();
  }

  /** Sets the parameters of the conditions. */
  static void bind(MemoryFilter filter, Call call) throws SQLException {
    if (!filter.types().isEmpty()) {
      List<String> types = new ArrayList<>(filter.types().size());
      filter.types().forEach(type -> types.add(type.value()));
      call.texts("types", types);
    }
    if (!filter.levels().isEmpty()) {
      List<Integer> levels = new ArrayList<>(filter.levels().size());
      filter.levels().forEach(level -> levels.add(level.level()));
      call.integers("levels", levels);
    }
    if (!filter.anyTags().isEmpty()) {
      call.texts("anyTags", filter.anyTags());
    }
    if (!filter.allTags().isEmpty()) {
      call.texts("allTags", filter.allTags());
    }
    if (!filter.patternTypes().isEmpty()) {
      call.texts("patternTypes", filter.patternTypes());
    }
    if (filter.minConfidence() != null) {
      call.number("minConfidence", filter.minConfidence());
    }
    if (filter.from() != null) {
      call.time("from", filter.from());
    }
    if (filter.to() != null) {
      call.time("to", filter.to());
    }
  }
}
