package io.agentmemory.consolidation.dao;

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
      with {nearest},
      {leg},
      by_vector as (
        select place, distance, row_number() over (order by distance, id) as rank from nearest
      ),
      by_text as (
        select place, score, row_number() over (order by score desc, id) as rank from matching
      ),
      scored as materialized (
        select m.ctid as place, m.id, v.rank as vector_rank, t.rank as text_rank,
          coalesce(v.distance,
            nullif(m.embedding {distance} (select embedding from query), 'NaN')) as distance,
          cast(coalesce(t.score, {scoreOf}) as float8) as text_score,
          length(m.content_tsv) as words
        from by_vector as v
        full join by_text as t using (place)
        join {memories} as m on m.ctid = place and m.project_id = :project
        {scoreJoin}
      ),
      fused as materialized (
        select place, id, vector_rank, distance, text_rank, text_score, {fusion} as score
        {from}
        order by score desc, id
        limit :limit
      )
      select {how}, {found}, {headline}, f.score, f.vector_rank, f.distance, f.text_rank,
        f.text_score, {columns}
      from (select) as always
      left join (
        fused as f join {memories} as m on m.ctid = f.place and m.project_id = :project
      ) on true
      order by f.score desc, f.id""";

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

  private static final int FOUND = 3;
  private static final int HEADLINE = FOUND + WordLeg.Found.COLUMNS;
  private static final int SCORE = HEADLINE + 1;
  private static final int MEMORY = SCORE + 5;

  private record Shape(
      int filter,
      WordLeg.Shape leg,
      WordMatch match,
      FusionMethod method,
      boolean withHeadline,
      boolean withEmbedding,
      boolean joined) {}

  private FusedSearch() {}

  private static String template(Shape shape) {
    boolean convex = shape.method == FusionMethod.CONVEX;
    String search =
        WordLeg.into(SEARCH, shape.leg)
            .replace("{nearest}", SearchSql.NEAREST)
            .replace("{how}", SearchSql.HOW)
            .replace("{fusion}", convex ? CONVEX : RECIPROCAL_RANK)
            .replace("{from}", convex ? CONVEX_FROM : "from scored")
            .replace("{headline}", TextSql.headline(shape.withHeadline, shape.match))
            .replace("{columns}", MemoryRow.columns(shape.withEmbedding))
            .replace("{filter}", FilterSql.conditions(shape.filter));
    return Settings.HNSW.around(search, shape.joined);
  }

  static SearchResult<FusedHit> run(
      MemorySession session, WordStatistics statistics, String projectId, FusedQuery query)
      throws SQLException {
    return WordSearch.run(
        session,
        statistics,
        projectId,
        query.text(),
        query.match(),
        query.depth(),
        leg -> run(session, projectId, query, leg));
  }

  private static WordSearch.Result<FusedHit> run(
      MemorySession session, String projectId, FusedQuery query, WordLeg leg) throws SQLException {
    Headline headline = query.headline();
    Shape shape =
        new Shape(
            FilterSql.shape(query.filter()),
            leg.shape(),
            query.match(),
            query.method(),
            headline != null,
            session.withEmbeddings(),
            session.joined());
    try (Call call = session.prepare(shape, FusedSearch::template)) {
      FilterSql.bind(query.filter(), call);
      leg.bind(call);
      if (leg.bindsText() || headline != null) {
        call.text("text", query.text());
      }
      if (headline != null) {
        call.text("headline", headline.options());
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
              .integer("efSearch", SearchSql.efSearch(query.depth()))
              .query(Settings.index(shape.joined));
      List<FusedHit> hits = new ArrayList<>(Math.min(query.limit(), 100));
      SearchStrategy strategy = SearchStrategy.NONE;
      WordLeg.Found found = WordLeg.Found.NOTHING;
      while (rows.next()) {
        strategy = SearchSql.strategy(rows.getInt(1), rows.getInt(2), query.depth());
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
