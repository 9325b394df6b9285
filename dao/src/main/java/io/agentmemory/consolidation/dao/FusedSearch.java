package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.dao.SearchRule.Way;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The search by vector and by words at once. */
final class FusedSearch {
  /** Squared scores of single precision, times less, might underflow, which the server refuses. */
  private static final double LEAST_WEIGHT = 1e-100;

  private final MemorySession session;
  private final SearchRule rule;
  private final String projectId;
  private final FusedQuery query;
  private final VectorQuery nearest;

  private FusedSearch(MemorySession session, SearchRule rule, String projectId, FusedQuery query) {
    this.session = session;
    this.rule = rule;
    this.projectId = projectId;
    this.query = query;
    this.nearest =
        new VectorQuery(
            query.embedding(), query.depth(), query.filter(), query.effort(), null, false);
  }

  static SearchResult<FusedHit> run(
      MemorySession session,
      WordStatistics statistics,
      SearchRule rule,
      String projectId,
      FusedQuery query)
      throws SQLException {
    FusedSearch search = new FusedSearch(session, rule, projectId, query);
    return WordSearch.run(
        session, statistics, projectId, query.text(), query.match(), query.depth(), search::run);
  }

  /** A project that was small when its words were counted needs no plan for the case that not. */
  private Way way(WordLeg leg) {
    return (leg.rows() > 0 && leg.rows() <= rule.exactUpTo(nearest))
            || (isLarge(leg) && rule.rare.isKnown(query.filter()))
        ? Way.EXACTLY
        : rule.way(projectId, nearest);
  }

  /** Whether a project was large when its words were counted, or in the last seconds. */
  private boolean isLarge(WordLeg leg) {
    return leg.rows() > rule.exactUpTo(nearest)
        || rule.large(projectId, query.filter(), rule.bound(nearest)) != null;
  }

  private WordSearch.Result<FusedHit> run(WordLeg leg) throws SQLException {
    FusedSql.Shape shape =
        new FusedSql.Shape(
            way(leg),
            FilterSql.shape(query.filter()),
            leg.shape(),
            query.match(),
            query.method(),
            query.headline() != null,
            session.withEmbeddings(),
            session.joined(),
            rule.rare.mayBe(query.filter()),
            false);
    if (shape.way() == Way.BY_PROJECT && shape.filter() == 0 && isLarge(leg)) {
      WordSearch.Result<FusedHit> result = run(leg, shape.following());
      if (result.hits().strategy() == SearchStrategy.HNSW_BY_PROJECT) {
        return result;
      }
    }
    return run(leg, shape);
  }

  private WordSearch.Result<FusedHit> run(WordLeg leg, FusedSql.Shape shape) throws SQLException {
    try (Call call = session.prepare(shape, FusedSql::template)) {
      FilterSql.bind(query.filter(), call);
      leg.bind(call, query.text(), query.headline());
      if (shape.usesIndex()) {
        call.integer("efSearch", SearchRule.candidates(nearest));
      }
      if (shape.looks()) {
        call.integer("exactUpTo", rule.exactUpTo(nearest));
      }
      if (shape.looksAtFilter()) {
        call.integer("rareUpTo", RareFilters.UP_TO);
      }
      if (query.method() == FusionMethod.CONVEX) {
        call.number("lengthDamping", query.lengthDamping());
      }
      ResultSet rows =
          call.text("project", projectId)
              .vector("embedding", query.embedding())
              .integer("limit", query.limit())
              .integer("depth", query.depth())
              .number("textWeight", query.textWeight() < LEAST_WEIGHT ? 0 : query.textWeight())
              .query(Settings.index(shape.joined()));
      return read(leg, shape, rows);
    }
  }

  /** The first row tells how the search went. */
  private WordSearch.Result<FusedHit> read(WordLeg leg, FusedSql.Shape shape, ResultSet rows)
      throws SQLException {
    rows.next();
    SearchRule.Indexes there = rule.seen(rows, FusedSql.INDEXES);
    SearchSql.Course course = SearchSql.Course.read(rows, FusedSql.COURSE);
    SearchStrategy strategy = course.strategy(shape.way(), there, query.depth());
    if (shape.looksAtFilter() && course.many()) {
      rule.rare.seen(query.filter(), course.rare());
    }
    if (shape.looks() && shape.filter() == 0) {
      rule.seen(
          projectId,
          query.filter(),
          rule.bound(nearest),
          strategy == SearchStrategy.HNSW_BY_PROJECT);
    }
    if (!shape.follows()) {
      rule.inVain.seen(projectId, query.filter(), query.depth(), strategy, query.depth());
    }
    WordLeg.Found found = WordLeg.Found.read(rows, FusedSql.FOUND);
    List<FusedHit> hits = new ArrayList<>(Math.min(query.limit(), 100));
    while (rows.next()) {
      hits.add(hit(rows, leg));
    }
    Integer candidates =
        strategy == SearchStrategy.EXACT ? null : Integer.valueOf(SearchRule.candidates(nearest));
    return new WordSearch.Result<>(
        new SearchResult<>(hits, strategy, found.words() == 0, candidates, false), found);
  }

  private FusedHit hit(ResultSet row, WordLeg leg) throws SQLException {
    return new FusedHit(
        MemoryRow.read(row, FusedSql.MEMORY, projectId, session.vectors()),
        row.getDouble(FusedSql.SCORE),
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
