package io.agentmemory.consolidation.dao;

import java.sql.ResultSet;
import java.sql.SQLException;

/** The parts that the searches' statements are put together from. */
final class SearchSql {
  /** Up to so many rows a project is searched exactly. */
  static final int EXACT_UP_TO = 2_000;

  private SearchSql() {}

  /**
   * The common table expressions that end in {@code nearest (id, distance)}: the {@code :depth}
   * nearest memories of a project.
   *
   * <p>{@code size} counts the project's rows up to a bound. A larger project is searched through
   * the index ({@code approximate}); where it is not larger, or where the index gave too few rows,
   * {@code exact} compares every row. {@code offset 0} keeps the index out of it. Zero vectors that
   * others wrote have no distance and are left out, as the index leaves them out.
   */
  static final String NEAREST =
      """
      query as materialized (
        select cast(cast(:embedding as float4[]) as {vector}) as embedding
      ),
      size as materialized (
        select count(*) as n
        from (select from {memories} where project_id = :project limit {exactUpTo} + 1) as bounded
      ),
      approximate as materialized (
        select id, embedding {distance} (select embedding from query) as distance
        from {memories}
        where project_id = :project and embedding is not null{filter}
          and (select n from size) > {exactUpTo}
        order by distance
        limit :depth
      ),
      exact as materialized (
        select id, distance
        from (
          select id, embedding {distance} (select embedding from query) as distance
          from {memories}
          where project_id = :project and embedding is not null{filter}
            and (select count(*) from approximate) < :depth
          offset 0
        ) as compared
        order by distance, id collate "C"
        limit :depth
      ),
      nearest as (
        select id, distance from approximate
        where (select count(*) from approximate) >= :depth
        union all
        select id, distance from exact where distance <> 'NaN'
      )""";

  /**
   * The same as {@code nearest (id, distance)}, comparing every row.
   *
   * <p>Nothing is added to the distances so that no index can give their order.
   */
  static final String EXACTLY =
      """
      query as materialized (
        select cast(cast(:embedding as float4[]) as {vector}) as embedding
      ),
      exact as materialized (
        select id, (embedding {distance} (select embedding from query)) + 0 as distance
        from {memories}
        where project_id = :project and embedding is not null{filter}
        order by distance, id collate "C"
        limit :depth
      ),
      nearest as materialized (
        select id, distance from exact where distance <> 'NaN'
      )""";

  /** Whether the index gave fewer rows than asked for, as it does of none. */
  static final String TOO_FEW = "(select n from found) < :depth";

  /** What is asked for, as it stands and as the index that keeps projects apart has it. */
  static final String QUERY_BY_PROJECT =
      """
      query as materialized (
        select cast(embedding as {vector}) as embedding, {codedQuery} as coded
        from (
          select cast(cast(:embedding as float4[]) as {singlePrecision}) as embedding,
            cast(:project as text) as project
        ) as given
      )""";

  /**
   * The two legs of a search that looks at a project's size first: where that is {@code large},
   * {@code approximate} follows an index and carries what is asked for out of the rows that it
   * comes by; {@code exact (id, distance)} compares every row where it is not, or where the index
   * gave too few rows, which {@code found} counts. Zero vectors are in the HNSW indexes, and have
   * no distance.
   */
  static final String LEGS =
      """
      approximate as materialized (
        select {carried}, embedding {distance} {asked} as distance
        from {memories} as m
        where project_id = :project and embedding is not null{filter}{others}
          and (select large from size)
        order by {order}
        limit :depth
      ),
      found as materialized (
        select count(*) as n from approximate where distance <> 'NaN'
      ),
      exact as materialized (
        select id, (embedding {distance} {asked}) + 0 as distance
        from {memories}
        where project_id = :project and embedding is not null{filter}{others}
          and {tooFew}
        order by distance, id collate "C"
        limit :depth
      )""";

  /**
   * Those of one search by the index that keeps projects apart.
   *
   * <p>{@code size} counts all rows of the project up to {@code :exactUpTo}, for which the small
   * index on it is enough, or those of the filter's types. Where these are {@code many}, the
   * project counts as large if it is {@code served} by the index and the filter is {@code {common}}
   * as well.
   */
  static final String LEGS_BY_PROJECT =
      QUERY_BY_PROJECT
          + """
      ,
      size as materialized (
        select many, served, served and {common} as large
        from (
          select many, many and (select {byProjectServes}) as served
          from (
            select {many} as many
            offset 0
          ) as counted
          offset 0
        ) as looked_up
      ),
      """
          + LEGS.replace("{asked}", "(select embedding from query)")
              .replace("{order}", "{coded} {innerProduct} (select coded from query)")
              .replace("{others}", "");

  /** Whether there are more rows than the bound; those of a type if {@code {counted}} says so. */
  static final String MANY =
      "exists (select from {memories} where project_id = :project{counted} offset :exactUpTo)";

  /** The same as {@code nearest (id, distance, content_tsv)}, the words null where not at hand. */
  static final String BY_PROJECT =
      LEGS_BY_PROJECT
              .replace("{carried}", "id, content_tsv")
              .replace("{many}", MANY.replace("{counted}", ""))
              .replace("{tooFew}", TOO_FEW)
          + """
      ,
      nearest as materialized (
        select id, distance, content_tsv from approximate
        where (select n from found) >= :depth
        union all
        select id, distance, cast(null as tsvector) from exact where distance <> 'NaN'
      )""";

  /** Which of the HNSW indexes serve. */
  static final String INDEXES =
      "(select {byProjectServes}) as index_by_project, (select {amongAllServes}) as index_among_all";

  /**
   * The same of a search that looks at the project's size: null where it needs to know of none, as
   * it never does of the one over all projects. Each look costs every search a few microseconds,
   * even where it is not taken.
   */
  private static final String INDEXES_OF_LARGE =
      "(select case when many then served end from size) as index_by_project,"
          + " cast(null as boolean) as index_among_all";

  static String indexes(SearchRule.Way way) {
    return way == SearchRule.Way.BY_PROJECT ? INDEXES_OF_LARGE : INDEXES;
  }

  /**
   * How each of them went: whether the project is a large one, and what the index gave, null where
   * it serves and was not followed since the filter is rare.
   */
  static String how(SearchRule.Way way) {
    return switch (way) {
      case EXACTLY -> "false as large, 0 as from_index";
      case BY_PROJECT ->
          "(select many from size) as large,"
              + " case when (select large or not served from size) then (select n from found) end"
              + " as from_index";
      case AMONG_ALL ->
          "(select n from size) > {exactUpTo} as large,"
              + " (select count(*) from approximate) as from_index";
    };
  }

  /**
   * What {@link #how} tells.
   *
   * @param many whether there are more rows than are compared one by one
   * @param rare whether the index was not followed all the same, since the filter is rare
   * @param fromIndex how many rows the index gave
   */
  record Course(boolean many, boolean rare, int fromIndex) {
    /** So many columns tell. */
    static final int COLUMNS = 2;

    static Course read(ResultSet row, int first) throws SQLException {
      boolean many = row.getBoolean(first);
      int fromIndex = row.getInt(first + 1);
      return new Course(many, many && row.wasNull(), fromIndex);
    }

    SearchStrategy strategy(SearchRule.Way way, SearchRule.Indexes there, int depth) {
      return SearchSql.strategy(way, many && !rare && there.serve(way), fromIndex, depth);
    }
  }

  static String nearest(SearchRule.Way way) {
    return switch (way) {
      case EXACTLY -> EXACTLY;
      case BY_PROJECT -> BY_PROJECT;
      case AMONG_ALL -> NEAREST;
    };
  }

  static SearchStrategy strategy(SearchRule.Way way, boolean large, int fromIndex, int depth) {
    if (!large) {
      return SearchStrategy.EXACT;
    }
    if (fromIndex < depth) {
      return SearchStrategy.HNSW_THEN_EXACT;
    }
    return way == SearchRule.Way.BY_PROJECT ? SearchStrategy.HNSW_BY_PROJECT : SearchStrategy.HNSW;
  }
}
