package io.agentmemory.consolidation.dao;

/** The parts that the searches' statements are put together from. */
final class SearchSql {
  /** Up to so many rows a project is searched exactly. */
  static final int EXACT_UP_TO = 2_000;

  private SearchSql() {}

  /**
   * The common table expressions that end in {@code nearest (place, id, distance)}: the {@code
   * :depth} nearest memories of a project.
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
        select ctid as place, id, embedding {distance} (select embedding from query) as distance
        from {memories}
        where project_id = :project and embedding is not null{filter}
          and (select n from size) > {exactUpTo}
        order by distance
        limit :depth
      ),
      exact as materialized (
        select place, id, distance
        from (
          select ctid as place, id, embedding {distance} (select embedding from query) as distance
          from {memories}
          where project_id = :project and embedding is not null{filter}
            and (select count(*) from approximate) < :depth
          offset 0
        ) as compared
        order by distance, id
        limit :depth
      ),
      nearest as (
        select place, id, distance from approximate
        where (select count(*) from approximate) >= :depth
        union all
        select place, id, distance from exact where distance <> 'NaN'
      )""";

  /** How {@link #NEAREST} went: the project's size up to the bound, and what the index gave. */
  static final String HOW =
      "(select n from size) as project_size, (select count(*) from approximate) as from_index";

  static final String WEB_SEARCH = "websearch_to_tsquery({configuration}, :text)";

  /** The lexemes of a text with "or" between them; a lexeme holds no blanks. */
  static final String ANY_WORD =
      "cast(replace(cast(plainto_tsquery({configuration}, :text) as text), ' & ', ' | ') as tsquery)";

  static String words(WordMatch match) {
    return match == WordMatch.ANY_WORD ? ANY_WORD : WEB_SEARCH;
  }

  static SearchStrategy strategy(int projectSize, int fromIndex, int depth) {
    if (projectSize <= EXACT_UP_TO) {
      return SearchStrategy.EXACT;
    }
    return fromIndex >= depth ? SearchStrategy.HNSW : SearchStrategy.HNSW_THEN_EXACT;
  }

  /** How many candidates the index collects at a time: enough for a good recall, at most 1,000. */
  static int efSearch(int depth) {
    return Math.min(1_000, Math.max(100, 2 * depth));
  }
}
