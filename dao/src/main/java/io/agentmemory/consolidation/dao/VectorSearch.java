package io.agentmemory.consolidation.dao;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** The search by vector. */
final class VectorSearch {
  private static final String SEARCH =
      """
      with {nearest}
      select {how}, f.distance, {columns}
      from (select) as always
      left join (
        nearest as f join {memories} as m on m.ctid = f.place and m.project_id = :project
      ) on true
      order by f.distance, f.id""";

  private static final int DISTANCE = 3;
  private static final int MEMORY = 4;

  private record Shape(int filter, boolean withEmbedding, boolean joined) {}

  private VectorSearch() {}

  private static String template(Shape shape) {
    String search =
        SEARCH
            .replace("{nearest}", SearchSql.NEAREST)
            .replace("{how}", SearchSql.HOW)
            .replace("{columns}", MemoryRow.columns(shape.withEmbedding))
            .replace("{filter}", FilterSql.conditions(shape.filter));
    return Settings.HNSW.around(search, shape.joined);
  }

  static SearchResult<VectorHit> run(MemorySession session, String projectId, VectorQuery query)
      throws SQLException {
    Shape shape =
        new Shape(FilterSql.shape(query.filter()), session.withEmbeddings(), session.joined());
    try (Call call = session.prepare(shape, VectorSearch::template)) {
      FilterSql.bind(query.filter(), call);
      ResultSet rows =
          call.text("project", projectId)
              .vector("embedding", query.embedding())
              .integer("depth", query.limit())
              .integer("efSearch", SearchSql.efSearch(query.limit()))
              .query(Settings.index(shape.joined));
      List<VectorHit> hits = new ArrayList<>(Math.min(query.limit(), 100));
      SearchStrategy strategy = SearchStrategy.NONE;
      while (rows.next()) {
        strategy = SearchSql.strategy(rows.getInt(1), rows.getInt(2), query.limit());
        double distance = rows.getDouble(DISTANCE);
        if (!rows.wasNull()) {
          hits.add(
              new VectorHit(MemoryRow.read(rows, MEMORY, projectId, session.vectors()), distance));
        }
      }
      return new SearchResult<>(hits, strategy, false);
    }
  }
}
