package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.dao.SearchRule.Way;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The search by vector and by words at once. */
final class FusedSearch {
  /**
   * Candidates of both searches, each scored by what the other search did not score yet, fused, and
   * only then joined to what is shown.
   */
  private static final String SEARCH =
      """
      with {legs},
      by_vector as (
        select id, distance, row_number() over (order by distance, id) as rank from nearest
      ),
      by_text as (
        select id, score, row_number() over (order by score desc, id) as rank from matching
      ),
      candidates as materialized (
        select id, v.rank as vector_rank, v.distance, t.rank as text_rank, t.score
        from by_vector as v full join by_text as t using (id)
      ),
      scored as materialized (
        select c.id, c.vector_rank, c.text_rank,
          coalesce(c.distance, nullif({distanceOf}, 'NaN')) as distance,
          cast(coalesce(c.score, {scoreOf}) as float8) as text_score,
          length(m.content_tsv) as words
        from candidates as c {row}
      ),
      fused as materialized (
        select id, vector_rank, distance, text_rank, text_score, {fusion} as score
        {from}
        order by score desc, id
        limit :limit
      )
      select {how}, {found}, {headline}, c.score, c.vector_rank, c.distance, c.text_rank,
        c.text_score, {columns}
      from (select) as always left join (fused as c {rowOfTable}) on true
      order by c.score desc, c.id""";

  /** A candidate's memory is looked up by itself, whatever the planner takes the candidates for. */
  private static final String ROW_OF_TABLE =
      """
      cross join lateral (
        select * from {memories} as held
        where held.id = c.id and held.project_id = :project offset 0
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
        where shown and distance <> 'NaN' order by distance, id limit :depth
      )""";

  private static final String DISTANCE_OF_ROWS =
      ", embedding {distance} (select embedding from query) as distance";

  private static final String DISTANCE = "m.embedding {distance} (select embedding from query)";

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

  private static final int LARGE = 1;
  private static final int FROM_INDEX = 2;
  private static final int INDEXES = 3;
  private static final int FOUND = INDEXES + SearchRule.Indexes.COLUMNS;
  private static final int HEADLINE = FOUND + WordLeg.Found.COLUMNS;
  private static final int SCORE = HEADLINE + 1;
  private static final int MEMORY = SCORE + 5;

  private record Shape(
      Way way,
      int filter,
      WordLeg.Shape leg,
      WordMatch match,
      FusionMethod method,
      boolean withHeadline,
      boolean withEmbedding,
      boolean joined) {
    /** Whether one scan of the project serves both legs. */
    boolean ofRows() {
      return leg.equals(WordLeg.COUNTED.shape());
    }

    Settings settings() {
      boolean one = leg.hasOnePlan(filter);
      if (ofRows() || way == Way.EXACTLY) {
        return one ? Settings.GENERIC_PLAN : Settings.PLAN;
      }
      return one && way == Way.BY_PROJECT ? Settings.BY_PROJECT_AND_WORDS : Settings.HNSW;
    }
  }

  private FusedSearch() {}

  private static String template(Shape shape) {
    boolean convex = shape.method == FusionMethod.CONVEX;
    boolean ofRows = shape.ofRows();
    String legs = ofRows ? LEGS_OF_ROWS : SearchSql.nearest(shape.way) + ",\n{leg}";
    String how = (ofRows ? "false, 0" : SearchSql.how(shape.way)) + ", " + SearchSql.INDEXES;
    String template =
        SEARCH
            .replace("{legs}", legs)
            .replace("{how}", how)
            .replace("{distanceOf}", ofRows ? "m.distance" : DISTANCE)
            .replace("{row}", ofRows ? ROW_OF_ROWS : ROW_OF_TABLE)
            .replace("{rowOfTable}", ROW_OF_TABLE)
            .replace("{fusion}", convex ? CONVEX : RECIPROCAL_RANK)
            .replace("{from}", convex ? CONVEX_FROM : "from scored")
            .replace("{headline}", TextSql.headline(shape.withHeadline, shape.match))
            .replace("{columns}", MemoryRow.columns(shape.withEmbedding));
    String search =
        WordLeg.into(template, shape.leg, DISTANCE_OF_ROWS)
            .replace("{filter}", FilterSql.conditions(shape.filter));
    return shape.settings().around(search, shape.joined);
  }

  /** A project that was small when its words were counted needs no plan for the case that not. */
  private static Way way(SearchRule rule, VectorQuery nearest, WordLeg leg) {
    return leg.rows() > 0 && leg.rows() <= rule.exactUpTo(nearest)
        ? Way.EXACTLY
        : rule.way(nearest);
  }

  static SearchResult<FusedHit> run(
      MemorySession session,
      WordStatistics statistics,
      SearchRule rule,
      String projectId,
      FusedQuery query)
      throws SQLException {
    VectorQuery nearest =
        VectorQuery.of(query.embedding(), query.depth()).withFilter(query.filter());
    return WordSearch.run(
        session,
        statistics,
        projectId,
        query.text(),
        query.match(),
        query.depth(),
        leg -> run(session, rule, projectId, query, nearest, leg));
  }

  private static WordSearch.Result<FusedHit> run(
      MemorySession session,
      SearchRule rule,
      String projectId,
      FusedQuery query,
      VectorQuery nearest,
      WordLeg leg)
      throws SQLException {
    Headline headline = query.headline();
    Shape shape =
        new Shape(
            way(rule, nearest, leg),
            FilterSql.shape(query.filter()),
            leg.shape(),
            query.match(),
            query.method(),
            headline != null,
            session.withEmbeddings(),
            session.joined());
    try (Call call = session.prepare(shape, FusedSearch::template)) {
      FilterSql.bind(query.filter(), call);
      leg.bind(call, query.text(), headline);
      if (!shape.ofRows() && shape.way != Way.EXACTLY) {
        call.integer("efSearch", SearchRule.candidates(nearest));
        if (shape.way == Way.BY_PROJECT) {
          call.integer("exactUpTo", rule.exactUpTo(nearest));
        }
      }
      if (query.method() == FusionMethod.CONVEX) {
        call.number("lengthDamping", query.lengthDamping());
      }
      ResultSet rows =
          call.text("project", projectId)
              .vector("embedding", query.embedding())
              .integer("limit", query.limit())
              .integer("depth", query.depth())
              .number("textWeight", query.textWeight())
              .query(Settings.index(shape.joined));
      List<FusedHit> hits = new ArrayList<>(Math.min(query.limit(), 100));
      SearchStrategy strategy = SearchStrategy.NONE;
      WordLeg.Found found = WordLeg.Found.NOTHING;
      while (rows.next()) {
        SearchRule.Indexes there = SearchRule.Indexes.read(rows, INDEXES);
        rule.seen(there);
        boolean large = rows.getBoolean(LARGE) && there.serve(shape.way);
        strategy = SearchSql.strategy(shape.way, large, rows.getInt(FROM_INDEX), query.depth());
        found = WordLeg.Found.read(rows, FOUND);
        double score = rows.getDouble(SCORE);
        if (!rows.wasNull()) {
          hits.add(hit(session, rows, projectId, score, leg));
        }
      }
      return new WordSearch.Result<>(new SearchResult<>(hits, strategy, found.words() == 0), found);
    }
  }

  private static FusedHit hit(
      MemorySession session, ResultSet row, String projectId, double score, WordLeg leg)
      throws SQLException {
    return new FusedHit(
        MemoryRow.read(row, MEMORY, projectId, session.vectors()),
        score,
        rank(row, SCORE + 1),
        distance(row, SCORE + 2),
        rank(row, SCORE + 3),
        leg.score(row.getDouble(SCORE + 4)),
        row.getString(HEADLINE));
  }

  private static @Nullable Integer rank(ResultSet row, int at) throws SQLException {
    int rank = row.getInt(at);
    return row.wasNull() ? null : rank;
  }

  private static @Nullable Double distance(ResultSet row, int at) throws SQLException {
    double distance = row.getDouble(at);
    return row.wasNull() ? null : distance;
  }
}
