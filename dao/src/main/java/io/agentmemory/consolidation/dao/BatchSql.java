package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.dao.SearchRule.Way;

/**
 * The statement of several searches by vector: {@code asked} holds what they ask for, one row each,
 * the project's size is looked at once, and each row is answered by what {@link SearchSql} has for
 * a single search.
 */
final class BatchSql {
  /** Embeddings that the caller sends, one after the other in one array. */
  private static final String SENT =
      """
      select place, cast(place as varchar) as id,
        cast(
          (cast(:embeddings as float4[]))
            [(place - 1) * {dimensions} + 1 {to} place * {dimensions}]
          as {singlePrecision}) as embedding,
        cast(:project as text) as project
      from generate_series(1, cast(:searches as int)) as place""";

  /** Embeddings that are stored. */
  static final String STORED =
      """
      select listed.place, m.id, cast(m.embedding as {singlePrecision}) as embedding,
        cast(:project as text) as project
      from unnest(cast(:ids as varchar[])) with ordinality as listed (id, place)
      cross join lateral (
        select id, embedding from {memories} as one
        where one.id = listed.id and one.project_id = :project and one.embedding is not null
        offset 0
      ) as m""";

  private static final String ASKED =
      """
      with /* consolidation search.batch */ asked as materialized (
        select place, id, cast(embedding as {vector}) as embedding{code}
        from (
          {given}
        ) as given
      ),
      size as materialized (
        select {indexes}, {large} as large
      )
      """;

  private static final String LARGE = SearchSql.MANY + " and {serves} and {common}";

  /** For one row {@code q} of those asked for: the index, and all memories where it fell short. */
  private static final String BY_INDEX =
      "with "
          + SearchSql.LEGS
              .replace("{carried}", "id")
              .replace("{asked}", "q.embedding")
              .replace("{tooFew}", SearchSql.TOO_FEW)
          + """
      ,
      nearest as materialized (
        select id, distance from approximate
        where (select n from found) >= :depth
        union all
        select id, distance from exact where distance <> 'NaN'
      )
      select (select n from found) as from_index""";

  private static final String EXACTLY =
      """
      with exact as materialized (
        select id, (embedding {distance} q.embedding) + 0 as distance
        from {memories}
        where project_id = :project and embedding is not null{filter}{others}
        order by distance, id collate "C"
        limit :depth
      ),
      nearest as materialized (
        select id, distance from exact where distance <> 'NaN'
      )
      select 0 as from_index""";

  private static final String ANSWERED =
      """
      {asked}
      select q.place, q.id as asked_id, size.large, size.index_by_project, size.index_among_all,
        n.from_index, n.nearest, n.distance, {columns}
      from asked as q
      cross join size
      cross join lateral (
        {leg},
          (select count(*) from nearest) as nearest, f.id, f.distance
        from (select) as always
        left join nearest as f on f.distance <= :maxDistance
      ) as n{shown}
      order by q.place, n.distance, n.id collate "C\"""";

  private static final String SHOWN =
      """

      left join lateral (
        select * from {memories} as shown
        where shown.id = n.id and shown.project_id = :project offset 0
      ) as m on true""";

  private BatchSql() {}

  /** Columns of the result, from 1; what is shown of a hit follows. */
  static final int PLACE = 1;

  static final int ASKED_ID = 2;
  static final int LARGE_PROJECT = 3;
  static final int INDEXES = 4;
  static final int FROM_INDEX = INDEXES + SearchRule.Indexes.COLUMNS;
  static final int NEAREST = FROM_INDEX + 1;
  static final int DISTANCE = NEAREST + 1;
  static final int HIT = DISTANCE + 1;

  /**
   * What a batch's statement depends on.
   *
   * @param ofTypes whether the rows of the filter's types are counted, else all of the project
   * @param mayBeRare whether it looks for itself whether hardly any row passes the filter
   * @param stored whether the ids of memories are given, which are not their own neighbours, and
   *     ids are asked for; else embeddings and memories
   */
  record Shape(
      Way way,
      int filter,
      boolean ofTypes,
      boolean mayBeRare,
      boolean stored,
      boolean withEmbedding,
      boolean joined) {}

  static String template(Shape shape) {
    boolean exactly = shape.way() == Way.EXACTLY;
    boolean byProject = shape.way() == Way.BY_PROJECT;
    String asked =
        ASKED
            .replace("{code}", byProject ? ", {codedQuery} as coded" : "")
            .replace("{given}", shape.stored() ? STORED : SENT)
            .replace("{indexes}", SearchSql.INDEXES)
            .replace("{large}", exactly ? "false" : LARGE)
            .replace("{serves}", byProject ? "{byProjectServes}" : "{amongAllServes}")
            .replace("{counted}", shape.ofTypes() ? FilterSql.ofTypes(shape.filter()) : "")
            .replace("{common}", RareFilters.common(shape.mayBeRare(), shape.filter()));
    String leg =
        (exactly ? EXACTLY : BY_INDEX)
            .replace("{filter}", FilterSql.conditions(shape.filter()))
            .replace("{others}", shape.stored() ? " and id <> q.id" : "")
            .replace("{order}", byProject ? "{coded} {innerProduct} q.coded" : "distance");
    String search =
        ANSWERED
            .replace("{asked}", asked)
            .replace("{leg}", leg)
            .replace(
                "{columns}", shape.stored() ? "n.id" : MemoryRow.columns(shape.withEmbedding()))
            .replace("{shown}", shape.stored() ? "" : SHOWN);
    return Settings.of(shape.way(), shape.filter() != 0).around(search, shape.joined());
  }
}
