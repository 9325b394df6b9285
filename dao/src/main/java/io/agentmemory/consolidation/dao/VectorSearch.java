package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.dao.SearchRule.Way;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The search by vector. */
final class VectorSearch {
  private static final String SEARCH =
      """
      /* consolidation search.vector */
      with {legs}
      select {how}, {nearest} as nearest, {indexes}, hits.*
      from (select) as always
      left join (
        {hits}
      ) as hits on hits.distance <= :maxDistance
      order by hits.distance, hits.id""";

  /**
   * What is shown is looked up one by one, which no plan for other values can make a mistake of.
   */
  private static final String LOOKED_UP =
      """
      select f.distance, {columns}
        from {found} as f cross join lateral (
          select * from {memories} as shown
          where shown.id = f.id and shown.project_id = :project offset 0
        ) as m
        where f.distance <> 'NaN'""";

  /** What the index led to was at hand there, which saves looking it up. */
  private static final String CARRIED =
      """
      select m.distance, {columns}
        from approximate as m
        where (select n from found) >= :depth
        union all""";

  private static final String NEAREST_BY_PROJECT =
      """
      (select case when n >= :depth then n
          else (select count(*) from exact where distance <> 'NaN') end from found)""";

  /** The index alone, for a project that is known to be large. The hits are sorted here. */
  private static final String FOLLOWED =
      """
      /* consolidation search.vector */
      with {query}
      select m.embedding {distance} (select embedding from query) as distance, {columns}
      from {memories} as m
      where project_id = :project and embedding is not null
        and (select to_regclass({byProject}) is not null)
      order by {coded} {innerProduct} (select coded from query)
      limit :depth""";

  private static final Comparator<VectorHit> NEAREST_FIRST =
      Comparator.comparingDouble(VectorHit::distance).thenComparing(hit -> hit.memory().id());

  private static final int LARGE = 1;
  private static final int FROM_INDEX = 2;
  private static final int NEAREST = 3;
  private static final int INDEXES = 4;
  private static final int DISTANCE = INDEXES + SearchRule.Indexes.COLUMNS;
  private static final int MEMORY = DISTANCE + 1;

  private record Shape(Way way, int filter, boolean withEmbedding, boolean joined) {}

  private VectorSearch() {}

  private static String template(Shape shape) {
    boolean byProject = shape.way == Way.BY_PROJECT;
    String legs = byProject ? SearchSql.LEGS_BY_PROJECT : SearchSql.nearest(shape.way);
    String search =
        SEARCH
            .replace("{legs}", legs.replace("{carried}", "m.*"))
            .replace("{how}", SearchSql.how(shape.way))
            .replace("{indexes}", SearchSql.INDEXES)
            .replace("{nearest}", byProject ? NEAREST_BY_PROJECT : "(select count(*) from nearest)")
            .replace("{hits}", byProject ? CARRIED + "\n" + LOOKED_UP : LOOKED_UP)
            .replace("{found}", byProject ? "exact" : "nearest")
            .replace("{columns}", MemoryRow.columns(shape.withEmbedding))
            .replace("{filter}", FilterSql.conditions(shape.filter));
    return Settings.of(shape.way, shape.filter != 0).around(search, shape.joined);
  }

  /** What the statement that only follows the index depends on. */
  private record Following(boolean withEmbedding, boolean joined) {}

  private static String template(Following shape) {
    String search =
        FOLLOWED
            .replace("{query}", SearchSql.QUERY_BY_PROJECT)
            .replace("{columns}", MemoryRow.columns(shape.withEmbedding));
    return Settings.FOLLOWING.around(search, shape.joined);
  }

  static SearchResult<VectorHit> run(
      MemorySession session, SearchRule rule, String projectId, VectorQuery query)
      throws SQLException {
    if (rule.way(query) == Way.BY_PROJECT
        && FilterSql.shape(query.filter()) == 0
        && rule.isLarge(projectId, rule.exactUpTo(query))) {
      SearchResult<VectorHit> result = follow(session, projectId, query);
      if (result != null) {
        return result;
      }
    }
    Shape shape =
        new Shape(
            rule.way(query),
            FilterSql.shape(query.filter()),
            session.withEmbeddings(),
            session.joined());
    try (Call call = session.prepare(shape, VectorSearch::template)) {
      FilterSql.bind(query.filter(), call);
      Double maxDistance = query.maxDistance();
      call.text("project", projectId)
          .vector("embedding", query.embedding())
          .integer("depth", query.limit())
          .number("maxDistance", maxDistance == null ? Double.POSITIVE_INFINITY : maxDistance);
      if (shape.way != Way.EXACTLY) {
        call.integer("efSearch", SearchRule.candidates(query));
      }
      if (shape.way == Way.BY_PROJECT) {
        call.integer("exactUpTo", rule.exactUpTo(query));
      }
      return read(session, rule, shape, projectId, query, call);
    }
  }

  /** Follows the index; null where that gives too few rows. */
  private static @Nullable SearchResult<VectorHit> follow(
      MemorySession session, String projectId, VectorQuery query) throws SQLException {
    Following shape = new Following(session.withEmbeddings(), session.joined());
    try (Call call = session.prepare(shape, VectorSearch::template)) {
      int candidates = SearchRule.candidates(query);
      ResultSet rows =
          call.text("project", projectId)
              .vector("embedding", query.embedding())
              .integer("depth", query.limit())
              .integer("efSearch", candidates)
              .query(Settings.index(shape.joined));
      Double given = query.maxDistance();
      double maxDistance = given == null ? Double.POSITIVE_INFINITY : given;
      List<VectorHit> hits = new ArrayList<>(Math.min(query.limit(), 100));
      int nearest = 0;
      while (rows.next()) {
        double distance = rows.getDouble(1);
        if (!Double.isNaN(distance)) {
          nearest++;
          if (distance <= maxDistance) {
            hits.add(
                new VectorHit(MemoryRow.read(rows, 2, projectId, session.vectors()), distance));
          }
        }
      }
      hits.sort(NEAREST_FIRST);
      return nearest < query.limit()
          ? null
          : new SearchResult<>(
              hits, SearchStrategy.HNSW_BY_PROJECT, false, candidates, hits.size() < nearest);
    }
  }

  private static SearchResult<VectorHit> read(
      MemorySession session,
      SearchRule rule,
      Shape shape,
      String projectId,
      VectorQuery query,
      Call call)
      throws SQLException {
    ResultSet rows = call.query(Settings.index(shape.joined));
    List<VectorHit> hits = new ArrayList<>(Math.min(query.limit(), 100));
    SearchStrategy strategy = SearchStrategy.NONE;
    int nearest = 0;
    while (rows.next()) {
      if (strategy == SearchStrategy.NONE) {
        SearchRule.Indexes there = SearchRule.Indexes.read(rows, INDEXES);
        rule.seen(there);
        boolean large = rows.getBoolean(LARGE) && there.serve(shape.way);
        strategy = SearchSql.strategy(shape.way, large, rows.getInt(FROM_INDEX), query.limit());
        nearest = rows.getInt(NEAREST);
        if (shape.way == Way.BY_PROJECT) {
          rule.seen(
              projectId,
              rule.exactUpTo(query),
              strategy == SearchStrategy.HNSW_BY_PROJECT && there.byProject());
        }
      }
      double distance = rows.getDouble(DISTANCE);
      if (!rows.wasNull()) {
        hits.add(
            new VectorHit(MemoryRow.read(rows, MEMORY, projectId, session.vectors()), distance));
      }
    }
    Integer candidates =
        strategy == SearchStrategy.EXACT ? null : Integer.valueOf(SearchRule.candidates(query));
    return new SearchResult<>(hits, strategy, false, candidates, hits.size() < nearest);
  }
}
