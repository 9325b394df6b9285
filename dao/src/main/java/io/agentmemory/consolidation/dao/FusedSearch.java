package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.dao.SearchRule.Way;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The search by vector and by words at once. */
final class FusedSearch {
  private FusedSearch() {}

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
    FusedSql.Shape shape =
        new FusedSql.Shape(
            way(rule, nearest, leg),
            FilterSql.shape(query.filter()),
            leg.shape(),
            query.match(),
            query.method(),
            headline != null,
            session.withEmbeddings(),
            session.joined());
    try (Call call = session.prepare(shape, FusedSql::template)) {
      FilterSql.bind(query.filter(), call);
      leg.bind(call, query.text(), headline);
      if (!shape.ofRows() && shape.way() != Way.EXACTLY) {
        call.integer("efSearch", SearchRule.candidates(nearest));
        if (shape.way() == Way.BY_PROJECT) {
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
              .query(Settings.index(shape.joined()));
      List<FusedHit> hits = new ArrayList<>(Math.min(query.limit(), 100));
      SearchStrategy strategy = SearchStrategy.NONE;
      WordLeg.Found found = WordLeg.Found.NOTHING;
      while (rows.next()) {
        SearchRule.Indexes there = SearchRule.Indexes.read(rows, FusedSql.INDEXES);
        rule.seen(there);
        boolean large = rows.getBoolean(FusedSql.LARGE) && there.serve(shape.way());
        strategy =
            SearchSql.strategy(shape.way(), large, rows.getInt(FusedSql.FROM_INDEX), query.depth());
        found = WordLeg.Found.read(rows, FusedSql.FOUND);
        double score = rows.getDouble(FusedSql.SCORE);
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
        MemoryRow.read(row, FusedSql.MEMORY, projectId, session.vectors()),
        score,
        rank(row, FusedSql.SCORE + 1),
        distance(row, FusedSql.SCORE + 2),
        rank(row, FusedSql.SCORE + 3),
        leg.score(row.getDouble(FusedSql.SCORE + 4)),
        row.getString(FusedSql.HEADLINE));
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
