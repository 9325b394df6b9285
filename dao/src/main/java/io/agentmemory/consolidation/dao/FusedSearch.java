package io.agentmemory.consolidation.dao;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The search by vector and by words at once. */
final class FusedSearch {
  /**
   * Candidates of both searches, scored by both, fused, and only then joined to what is shown. A
   * memory without an embedding has no part in the vector's share of the score.
   */
  private static final String SEARCH =
      """
      with {nearest},
      by_vector as (
        select place, row_number() over (order by distance, id) as rank from nearest
      ),
      matching as materialized (
        select ctid as place, id, ts_rank_cd(content_tsv, {words}) as score
        from {memories}
        where project_id = :project and content_tsv @@ {words}{filter}
        order by score desc, id
        limit :depth
      ),
      by_text as (
        select place, row_number() over (order by score desc, id) as rank from matching
      ),
      scored as materialized (
        select place, v.rank as vector_rank, t.rank as text_rank, m.id,
          nullif(m.embedding {distance} (select embedding from query), 'NaN') as distance,
          case when m.content_tsv @@ {words} then ts_rank_cd(m.content_tsv, {words}) else 0 end
            as text_score
        from by_vector as v
        full join by_text as t using (place)
        join {memories} as m on m.ctid = place and m.project_id = :project
      ),
      extremes as (
        select max(text_score) as best_text, min(distance) as nearest, max(distance) as farthest
        from scored
      ),
      fused as materialized (
        select place, id, vector_rank, distance, text_rank, text_score,
          :textWeight * coalesce(text_score / nullif(best_text, 0), 0)
            + (1 - :textWeight) * case
                when distance is null then 0
                when farthest > nearest then (farthest - distance) / (farthest - nearest)
                else 1
              end as score
        from scored, extremes
        order by score desc, id
        limit :limit
      )
      select {how}, numnode({words}), f.score, f.vector_rank, f.distance, f.text_rank,
        f.text_score, {columns}
      from (select) as always
      left join (
        fused as f join {memories} as m on m.ctid = f.place and m.project_id = :project
      ) on true
      order by f.score desc, f.id""";

  private static final int NODES = 3;
  private static final int SCORE = 4;
  private static final int MEMORY = 9;

  private record Shape(int filter, WordMatch match, boolean withEmbedding, boolean joined) {}

  private FusedSearch() {}

  private static String template(Shape shape) {
    String search =
        SEARCH
            .replace("{nearest}", SearchSql.NEAREST)
            .replace("{how}", SearchSql.HOW)
            .replace("{words}", SearchSql.words(shape.match))
            .replace("{columns}", MemoryRow.columns(shape.withEmbedding))
            .replace("{filter}", FilterSql.conditions(shape.filter));
    return Settings.HNSW.around(search, shape.joined);
  }

  static SearchResult<FusedHit> run(MemorySession session, String projectId, FusedQuery query)
      throws SQLException {
    Shape shape =
        new Shape(
            FilterSql.shape(query.filter()),
            query.match(),
            session.withEmbeddings(),
            session.joined());
    try (Call call = session.prepare(shape, FusedSearch::template)) {
      FilterSql.bind(query.filter(), call);
      ResultSet rows =
          call.text("project", projectId)
              .text("text", query.text())
              .vector("embedding", query.embedding())
              .integer("limit", query.limit())
              .integer("depth", query.depth())
              .number("textWeight", query.textWeight())
              .integer("efSearch", SearchSql.efSearch(query.depth()))
              .query(Settings.index(shape.joined));
      List<FusedHit> hits = new ArrayList<>(Math.min(query.limit(), 100));
      SearchStrategy strategy = SearchStrategy.NONE;
      boolean onlyStopWords = false;
      while (rows.next()) {
        strategy = SearchSql.strategy(rows.getInt(1), rows.getInt(2), query.depth());
        onlyStopWords = rows.getInt(NODES) == 0;
        double score = rows.getDouble(SCORE);
        if (!rows.wasNull()) {
          hits.add(hit(session, rows, projectId, score));
        }
      }
      return new SearchResult<>(hits, strategy, onlyStopWords);
    }
  }

  private static FusedHit hit(MemorySession session, ResultSet row, String projectId, double score)
      throws SQLException {
    int at = SCORE + 1;
    return new FusedHit(
        MemoryRow.read(row, MEMORY, projectId, session.vectors()),
        score,
        rank(row, at++),
        distance(row, at++),
        rank(row, at++),
        row.getDouble(at));
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
