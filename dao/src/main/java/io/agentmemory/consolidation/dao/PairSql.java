package io.agentmemory.consolidation.dao;

/**
 * The statements of {@link PairSearch}. Ids are in order of their bytes, whatever the collation.
 */
final class PairSql {
  /** The memories of a page, and whether the project is a large one. */
  private static final String LEFTS =
      """
      select /* consolidation search.pairs */ m.id,
        exists (select from {memories} where project_id = :project offset :exactUpTo) as large
      from (
        select id from {memories}
        where project_id = :project and id collate "C" > :after{filter}
        offset 0
      ) as m
      order by m.id collate "C"
      limit :count""";

  /** Those of some memories that others have been consolidated from. */
  static final String CONSOLIDATED =
      """
      select /* consolidation search.pairs */ distinct source.id
      from {memories} as m cross join unnest(m.source_memory_ids) as source (id)
      where m.project_id = :project and m.source_memory_ids && cast(:ids as varchar[])
        and source.id = any (cast(:ids as varchar[]))""";

  /** Those of some ids that task memories have as well. */
  static final String AMBIGUOUS =
      """
      select /* consolidation search.pairs */ {hostId} from {host}
      where {hostId} = any (:ids) and coalesce(cast({hostProject} as text), :project) = :project""";

  /** Compares memories with all that come after them. */
  private static final String EXACTLY =
      """
      with /* consolidation search.pairs */ asked as materialized (
        {stored}
      ){sources}
      select q.id, n.id, n.distance
      from asked as q
      cross join lateral (
        select compared.id, compared.distance
        from (
          select id, (embedding {distance} cast(q.embedding as {vector})) + 0 as distance
          from {memories}
          where project_id = :project and embedding is not null{filter}
            and id collate "C" > q.id collate "C"
          offset 0
        ) as compared
        where compared.distance <= :maxDistance{unconsolidated}
        order by compared.distance, compared.id collate "C"
        limit :depth
      ) as n
      order by q.place, n.distance, n.id collate "C\"""";

  /** All that others have been consolidated from, for {@link #EXACTLY} to leave out. */
  private static final String SOURCES =
      """
      ,
      consolidated as materialized (
        select distinct source.id
        from {memories} as m cross join unnest(m.source_memory_ids) as source (id)
        where m.project_id = :project
      )""";

  private static final String UNCONSOLIDATED =
      " and not exists (select from consolidated where consolidated.id = compared.id)";

  private PairSql() {}

  /** What {@link #LEFTS} depends on. */
  record Lefts(int filter, boolean joined) {}

  static String lefts(Lefts shape) {
    return around(
        Settings.PLAN.with("enable_seqscan", "'off'"), LEFTS, shape.filter(), shape.joined());
  }

  /** What {@link #EXACTLY} depends on. */
  record Exactly(int filter, boolean unconsolidated, boolean joined) {}

  static String exactly(Exactly shape) {
    String exactly =
        EXACTLY
            .replace("{stored}", BatchSql.STORED)
            .replace("{sources}", shape.unconsolidated() ? SOURCES : "")
            .replace("{unconsolidated}", shape.unconsolidated() ? UNCONSOLIDATED : "");
    return around(Settings.PLAN, exactly, shape.filter(), shape.joined());
  }

  private static String around(Settings settings, String template, int filter, boolean joined) {
    return settings.around(template.replace("{filter}", FilterSql.conditions(filter)), joined);
  }
}
