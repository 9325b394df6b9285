package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.dao.BatchSql.Shape;
import io.agentmemory.consolidation.dao.SearchRule.Way;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Several searches by vector within a project, in one round trip. */
final class BatchSearch {
  /** How many neighbours one call may find; each takes about 200 bytes. */
  static final int MOST_NEIGHBOURS = 100_000;

  private final MemorySession session;
  private final SearchRule rule;
  private final String projectId;
  private final BatchQuery query;

  BatchSearch(MemorySession session, SearchRule rule, String projectId, BatchQuery query) {
    this.session = session;
    this.rule = rule;
    this.projectId = projectId;
    this.query = query;
  }

  /** What is nearest to each of the embeddings. */
  List<SearchResult<VectorHit>> byEmbeddings(List<Embedding> embeddings) throws SQLException {
    Shape shape = shape(false);
    try (Call call = session.prepare(shape, BatchSql::template)) {
      bind(call, shape);
      call.floats("embeddings", joined(embeddings)).integer("searches", embeddings.size());
      List<SearchResult<VectorHit>> results = new ArrayList<>(embeddings.size());
      read(
          call,
          shape,
          (rows, distance) ->
              new VectorHit(
                  MemoryRow.read(rows, BatchSql.HIT, projectId, session.vectors()), distance),
          (asked, result) -> results.add(result));
      return results;
    }
  }

  /** What is nearest to each of the stored memories, those without an embedding left out. */
  Map<String, SearchResult<Neighbour>> byIds(Collection<String> ids) throws SQLException {
    Shape shape = shape(true);
    try (Call call = session.prepare(shape, BatchSql::template)) {
      bind(call, shape);
      call.texts("ids", ids);
      Map<String, SearchResult<Neighbour>> results = new LinkedHashMap<>();
      read(
          call,
          shape,
          (rows, distance) -> new Neighbour(rows.getString(BatchSql.HIT), distance),
          results::put);
      return results;
    }
  }

  private Shape shape(boolean stored) {
    Way way = rule.way(projectId, query);
    return new Shape(
        way,
        FilterSql.shape(query.filter()),
        rule.bound(query).ofTypes(),
        way == Way.BY_PROJECT && rule.rare.mayBe(query.filter()),
        stored,
        !stored && session.withEmbeddings(),
        session.joined());
  }

  private static float[] joined(List<Embedding> embeddings) {
    int dimensions = embeddings.get(0).dimensions();
    float[] all = new float[embeddings.size() * dimensions];
    for (int i = 0; i < embeddings.size(); i++) {
      System.arraycopy(embeddings.get(i).values(), 0, all, i * dimensions, dimensions);
    }
    return all;
  }

  private void bind(Call call, Shape shape) throws SQLException {
    FilterSql.bind(query.filter(), call);
    Double maxDistance = query.maxDistance();
    call.text("project", projectId)
        .integer("depth", query.limit())
        .number("maxDistance", maxDistance == null ? Double.POSITIVE_INFINITY : maxDistance);
    if (shape.way() != Way.EXACTLY) {
      call.integer("efSearch", candidates()).integer("exactUpTo", rule.bound(query).rows());
    }
    if (shape.mayBeRare()) {
      call.integer("rareUpTo", RareFilters.UP_TO);
    }
  }

  private int candidates() {
    return SearchRule.candidates(query);
  }

  /** Reads one hit of a row. */
  private interface ReadHit<H> {
    H read(ResultSet rows, double distance) throws SQLException;
  }

  /** Takes one search's result; {@code asked} is the id that was given, or a number. */
  private interface Take<H> {
    void result(String asked, SearchResult<H> result);
  }

  private <H> void read(Call call, Shape shape, ReadHit<H> hit, Take<H> take) throws SQLException {
    ResultSet rows = call.query(Settings.index(shape.joined()));
    Answer<H> answer = null;
    while (rows.next()) {
      long place = rows.getLong(BatchSql.PLACE);
      if (answer == null || answer.place != place) {
        if (answer == null) {
          rule.seen(rows, BatchSql.INDEXES);
        } else {
          take.result(answer.asked, answer.result());
        }
        answer = new Answer<>(place, shape.way(), rows);
      }
      double distance = rows.getDouble(BatchSql.DISTANCE);
      if (!rows.wasNull()) {
        answer.hits.add(hit.read(rows, distance));
      }
    }
    if (answer != null) {
      take.result(answer.asked, answer.result());
    }
  }

  /** The rows of one search. */
  private final class Answer<H> {
    final long place;
    final String asked;
    final SearchStrategy strategy;
    final int nearest;
    final List<H> hits = new ArrayList<>();

    Answer(long place, Way way, ResultSet row) throws SQLException {
      this.place = place;
      this.asked = row.getString(BatchSql.ASKED_ID);
      this.strategy =
          SearchSql.strategy(
              way,
              row.getBoolean(BatchSql.LARGE_PROJECT),
              row.getInt(BatchSql.FROM_INDEX),
              query.limit());
      this.nearest = row.getInt(BatchSql.NEAREST);
      rule.inVain.seen(projectId, query.filter(), query.limit(), strategy, nearest);
    }

    SearchResult<H> result() {
      Integer candidates = strategy == SearchStrategy.EXACT ? null : Integer.valueOf(candidates());
      return new SearchResult<>(hits, strategy, false, candidates, hits.size() < nearest);
    }
  }
}
