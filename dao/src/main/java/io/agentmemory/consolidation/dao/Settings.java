package io.agentmemory.consolidation.dao;

import java.util.List;
import java.util.StringJoiner;
import java.util.stream.Stream;

/**
 * Server settings that hold for one statement and travel with it in one round trip.
 *
 * <p>The settings, the statement and, in a caller's transaction, what puts the old values back are
 * sent together. Outside a transaction they form one of their own, at whose end the settings are
 * gone; within one they would last to its end, so they are saved before and restored after. Where
 * the statement fails, the caller's rollback undoes the settings as well.
 */
final class Settings {
  /** A plan for the values at hand, since a generic one is off by orders of magnitude. */
  static final Settings PLAN =
      new Settings(List.of()).with("plan_cache_mode", "'force_custom_plan'").with("jit", "'off'");

  /**
   * The plan made once: for statements whose best plan does not depend on the values, so that
   * planning would take longer than running. Without statistics of a value, a scan of the whole
   * table would look cheaper than it is.
   */
  static final Settings GENERIC_PLAN =
      new Settings(List.of())
          .with("plan_cache_mode", "'force_generic_plan'")
          .with("jit", "'off'")
          .with("enable_seqscan", "'off'");

  /**
   * A plan for the values at hand, for a search over the HNSW index. Without sorting (which plans
   * that cannot do without it still do) the index gives the order even where the planner takes the
   * project for smaller than it is, as it does until the first {@code ANALYZE} after a load.
   */
  static final Settings HNSW = PLAN.overHnsw();

  /**
   * The same with the index that keeps projects apart. Rows are counted up to a bound, which a scan
   * of the whole table would look fit for and find them at its end.
   */
  static final Settings BY_PROJECT_FOR_VALUES = HNSW.with("enable_seqscan", "'off'");

  /** The same by one plan for all values, for a search that words lead to as well. */
  static final Settings BY_PROJECT_AND_WORDS = GENERIC_PLAN.overHnsw();

  /**
   * For a search that follows the index that keeps projects apart: one plan for all values, which
   * has a way for small projects and a way for large ones. Without sorting, bitmaps and scans of
   * the whole table it cannot have others, whatever the planner takes the project for; and it saves
   * planning, which costs as much as the search of a small project.
   */
  static final Settings BY_PROJECT = BY_PROJECT_AND_WORDS.with("enable_bitmapscan", "'off'");

  /**
   * For following that index alone: with nothing to sort by but the index, there is no other plan.
   * An iterative scan would keep all that it passes by, a tenth of the time, for a second look that
   * is hardly ever taken.
   */
  static final Settings FOLLOWING =
      new Settings(List.of())
          .with("plan_cache_mode", "'force_generic_plan'")
          .with("jit", "'off'")
          .with("enable_sort", "'off'")
          .with("hnsw.iterative_scan", "'off'")
          .with("hnsw.ef_search", "cast(cast(:efSearch as int) as text)");

  private static final String SAVED = "'consolidation.saved'";

  private record Setting(String name, String value) {}

  private final List<Setting> settings;

  private Settings(List<Setting> settings) {
    this.settings = settings;
  }

  /** For a search by vector alone. */
  static Settings of(SearchRule.Way way, boolean forValues) {
    return switch (way) {
      case EXACTLY -> PLAN;
      case BY_PROJECT -> forValues ? BY_PROJECT_FOR_VALUES : BY_PROJECT;
      case AMONG_ALL -> HNSW;
    };
  }

  Settings with(String name, String value) {
    return new Settings(
        Stream.concat(settings.stream(), Stream.of(new Setting(name, value))).toList());
  }

  private Settings overHnsw() {
    return with("enable_sort", "'off'")
        .with("hnsw.iterative_scan", "'relaxed_order'")
        .with("hnsw.max_scan_tuples", "'20000'")
        .with("hnsw.ef_search", "cast(cast(:efSearch as int) as text)");
  }

  /** The template that runs a statement under these settings. */
  String around(String statement, boolean joined) {
    return joined
        ? save() + ";\n" + set() + ";\n" + statement + ";\n" + restore()
        : set() + ";\n" + statement;
  }

  /** Which of the results is the statement's, from 0. */
  static int index(boolean joined) {
    return joined ? 2 : 1;
  }

  /** Sets each, as none is null, and sends neither rows nor columns. */
  private String set() {
    StringJoiner sql =
        new StringJoiner(" or ", "select /* consolidation session.set */ where ", "");
    for (Setting setting : settings) {
      sql.add("set_config('%s', %s, true) is null".formatted(setting.name, setting.value));
    }
    return sql.toString();
  }

  private String save() {
    StringJoiner sql =
        new StringJoiner(
            ", ",
            "select /* consolidation session.save */ set_config(" + SAVED + ", concat_ws('|', ",
            "), true)");
    for (Setting setting : settings) {
      sql.add("coalesce(current_setting('%s', true), '')".formatted(setting.name));
    }
    return sql.toString();
  }

  /** A setting that had no value, because the extension was not loaded yet, gets its default. */
  private String restore() {
    StringJoiner sql = new StringJoiner(", ", "select /* consolidation session.restore */ ", "");
    for (int i = 0; i < settings.size(); i++) {
      sql.add(
          "set_config('%s', nullif(split_part(current_setting(%s), '|', %d), ''), true)"
              .formatted(settings.get(i).name, SAVED, i + 1));
    }
    return sql.toString();
  }
}
