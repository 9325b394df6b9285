package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.dao.SearchRule.Way;

/** The statement of a search by vector and by words at once. */
final class FusedSql {
  /**
   * Candidates of both searches, each scored by what the other search did not score yet, fused, and
   * only then joined to what is shown. The first row, which has no score, tells how it went.
   */
  private static final String SEARCH =
      """
      with /* consolidation search.fused */ {legs},
      by_vector as (
        select id, distance{ofNearest},
          row_number() over (order by distance, id collate "C") as rank
        from nearest
      ),
      by_text as (
        select id, score{ofMatching},
          row_number() over (order by score desc, id collate "C") as rank
        from matching
      ),
      candidates as materialized (
        select id, v.rank as vector_rank, v.distance, t.rank as text_rank, t.score{ofBoth}
        from by_vector as v full join by_text as t using (id)
      ),
      scored as materialized (
        select c.id, c.vector_rank, c.text_rank,
          coalesce(c.distance, nullif({distanceOf}, 'NaN')) as distance,
          cast(coalesce(c.score, {scoreOf}) as float8) as text_score,
          length(m.content_tsv) as words
        from candidates as c {row} {weighed}
      ),
      fused as materialized (
        select id, vector_rank, distance, text_rank, text_score, {fusion} as score
        {from}
        order by score desc, id collate "C"
        limit :limit
      )
      select * from (
        select {how}, {indexes}, {found}, null as headline, null as score, null, null, null, null,
          {noMemory}
        union all
        select null, null, null, null, null, null, null, null, {headline}, c.score,
          c.vector_rank, c.distance, c.text_rank, c.text_score, {columns}
        from fused as c {rowOfTable}
      ) as result
      order by score desc, id collate "C\"""";

  /** A memory is looked up by itself, whatever the planner takes the candidates for. */
  private static final String ROW_OF_TABLE =
      """
      cross join lateral (
        select * from {memories} as held
        where held.id = c.id and held.project_id = :project offset 0
      ) as m""";

  /** What the legs came by is carried along, so that only the rest is looked up. */
  private static final String CARRIED_BY_MATCHING = ", content_tsv, embedding";

  private static final String CARRIED_BY_BOTH =
      ", coalesce(t.content_tsv, v.content_tsv) as content_tsv, t.embedding";

  private static final String ROW_CARRIED =
      """
      cross join lateral (
        select coalesce(c.content_tsv,
          (select content_tsv from {memories} as held
            where held.id = c.id and held.project_id = :project)) as content_tsv
        offset 0
      ) as m""";

  /** Where one scan of the project serves the words, it serves the vectors too. */
  private static final String LEGS_OF_ROWS =
      """
      query as materialized (
        select cast(cast(:embedding as float4[]) as {vector}) as embedding
      ),
      {leg},
      nearest as materialized (
        select id, distance from project_rows
        where shown and distance <> 'NaN' order by distance, id collate "C" limit :depth
      )""";

  /** The index alone, for a project that is known to be large. */
  private static final String FOLLOWED =
      SearchSql.QUERY_BY_PROJECT
          + """
      ,
      nearest as materialized (
        select id, distance, content_tsv
        from (
          select id, content_tsv, embedding {distance} (select embedding from query) as distance
          from {memories} as m
          where project_id = :project and embedding is not null
            and (select {byProjectServes})
          order by {coded} {innerProduct} (select coded from query)
          limit :depth
        ) as approximate
        where distance <> 'NaN'
      )""";

  private static final String DISTANCE_OF_ROWS =
      ", embedding {distance} (select embedding from query) as distance";

  private static final String DISTANCE = "c.embedding {distance} (select embedding from query)";

  private static final String ROW_OF_ROWS =
      "join project_rows as m using (id) left join word_scores as w using (id)";

  private static final String CONVEX =
      """
      :textWeight * coalesce(power(text_score / nullif(best_text, 0), 2), 0)
        + (1 - :textWeight) * case
            when closeness is null then 0
            when nearest > farthest then (closeness - farthest) / (nearest - farthest)
            else 1
          end""";

  private static final String CONVEX_FROM =
      """
      from (
        select *, max(text_score) over () as best_text, max(closeness) over () as nearest,
          min(closeness) over () as farthest
        from (
          select *, (1 - distance) * coalesce(words / nullif(words + :lengthDamping, 0), 1)
            as closeness
          from scored
        ) as damped
      ) as spanned""";

  private static final String RECIPROCAL_RANK =
      """
      :textWeight * coalesce(1.0 / (60 + text_rank), 0)
        + (1 - :textWeight) * coalesce(1.0 / (60 + vector_rank), 0)""";

  static final int COURSE = 1;
  static final int INDEXES = COURSE + SearchSql.Course.COLUMNS;
  static final int FOUND = INDEXES + SearchRule.Indexes.COLUMNS;
  static final int HEADLINE = FOUND + WordLeg.Found.COLUMNS;
  static final int SCORE = HEADLINE + 1;
  static final int MEMORY = SCORE + 5;

  /**
   * What the statement depends on.
   *
   * @param mayBeRare whether it looks for itself whether hardly any row passes the filter
   * @param follows whether it only follows the index that keeps projects apart
   */
  record Shape(
      Way way,
      int filter,
      WordLeg.Shape leg,
      WordMatch match,
      FusionMethod method,
      boolean withHeadline,
      boolean withEmbedding,
      boolean joined,
      boolean mayBeRare,
      boolean follows) {
    /** The same for a project that is known to be large, without a filter. */
    Shape following() {
      return new Shape(
          way, filter, leg, match, method, withHeadline, withEmbedding, joined, false, true);
    }

    /** Whether it looks for itself whether the project is large. */
    boolean looks() {
      return !ofRows() && way == Way.BY_PROJECT && !follows;
    }

    /** Whether it then looks whether the filter is rare as well. */
    boolean looksAtFilter() {
      return looks() && mayBeRare;
    }

    boolean usesIndex() {
      return !ofRows() && way != Way.EXACTLY;
    }

    /** Whether one scan of the project serves both legs. */
    boolean ofRows() {
      return leg.equals(WordLeg.COUNTED.shape());
    }

    Settings settings() {
      boolean one = leg.hasOnePlan(filter);
      if (ofRows() || way == Way.EXACTLY) {
        return one ? Settings.GENERIC_PLAN : Settings.PLAN;
      }
      if (way == Way.AMONG_ALL) {
        return Settings.HNSW;
      }
      return one ? Settings.BY_PROJECT_AND_WORDS : Settings.BY_PROJECT_FOR_VALUES;
    }
  }

  private FusedSql() {}

  private static String nearest(Shape shape) {
    return shape.follows ? FOLLOWED : SearchSql.nearest(shape.way);
  }

  private static String how(Shape shape) {
    return shape.follows ? "true, (select count(*) from nearest)" : SearchSql.how(shape.way);
  }

  private static String indexes(Shape shape) {
    if (shape.ofRows()) {
      return "cast(null as boolean), cast(null as boolean)";
    }
    return shape.follows ? SearchSql.INDEXES : SearchSql.indexes(shape.way);
  }

  static String template(Shape shape) {
    boolean convex = shape.method == FusionMethod.CONVEX;
    boolean ofRows = shape.ofRows();
    String legs = ofRows ? LEGS_OF_ROWS : nearest(shape) + ",\n{leg}";
    String how = ofRows ? "false, 0" : how(shape);
    String words =
        shape.way == Way.BY_PROJECT ? ", content_tsv" : ", cast(null as tsvector) as content_tsv";
    String template =
        SEARCH
            .replace("{legs}", legs)
            .replace("{common}", RareFilters.common(shape.mayBeRare, shape.filter))
            .replace("{how}", how)
            .replace("{indexes}", indexes(shape))
            .replace("{ofNearest}", ofRows ? "" : words)
            .replace("{ofMatching}", ofRows ? "" : CARRIED_BY_MATCHING)
            .replace("{ofBoth}", ofRows ? "" : CARRIED_BY_BOTH)
            .replace("{distanceOf}", ofRows ? "m.distance" : DISTANCE)
            .replace("{row}", ofRows ? ROW_OF_ROWS : ROW_CARRIED)
            .replace("{rowOfTable}", ROW_OF_TABLE)
            .replace("{fusion}", convex ? CONVEX : RECIPROCAL_RANK)
            .replace("{from}", convex ? CONVEX_FROM : "from scored")
            .replace("{headline}", TextSql.headline(shape.withHeadline, shape.match))
            .replace("{columns}", MemoryRow.columns(shape.withEmbedding))
            .replace("{noMemory}", MemoryRow.nulls(shape.withEmbedding));
    String search =
        WordSql.into(
                template, shape.leg, shape.filter, ofRows ? DISTANCE_OF_ROWS : CARRIED_BY_MATCHING)
            .replace("{filter}", FilterSql.conditions(shape.filter));
    return shape.settings().around(search, shape.joined);
  }
}
