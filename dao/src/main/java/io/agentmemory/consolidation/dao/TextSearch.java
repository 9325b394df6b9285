package io.agentmemory.consolidation.dao;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** The search by words. */
final class TextSearch {
  /** Ranks by id and place in the table alone, and fetches the rest of what is shown. */
  private static final String SEARCH =
      """
      with matching as materialized (
        select ctid as place, id, ts_rank_cd(content_tsv, {words}) as score
        from {memories}
        where project_id = :project and content_tsv @@ {words}{filter}
        order by score desc, id
        limit :limit
      )
      select numnode({words}), f.score, {columns}
      from (select) as always
      left join (
        matching as f join {memories} as m on m.ctid = f.place and m.project_id = :project
      ) on true
      order by f.score desc, f.id""";

  private static final int SCORE = 2;
  private static final int MEMORY = 3;

  private record Shape(int filter, WordMatch match, boolean withEmbedding, boolean joined) {}

  private TextSearch() {}

  private static String template(Shape shape) {
    String search =
        SEARCH
            .replace("{words}", SearchSql.words(shape.match))
            .replace("{columns}", MemoryRow.columns(shape.withEmbedding))
            .replace("{filter}", FilterSql.conditions(shape.filter));
    return Settings.PLAN.around(search, shape.joined);
  }

  static SearchResult<TextHit> run(MemorySession session, String projectId, TextQuery query)
      throws SQLException {
    Shape shape =
        new Shape(
            FilterSql.shape(query.filter()),
            query.match(),
            session.withEmbeddings(),
            session.joined());
    try (Call call = session.prepare(shape, TextSearch::template)) {
      FilterSql.bind(query.filter(), call);
      ResultSet rows =
          call.text("project", projectId)
              .text("text", query.text())
              .integer("limit", query.limit())
              .query(Settings.index(shape.joined));
      List<TextHit> hits = new ArrayList<>(Math.min(query.limit(), 100));
      boolean onlyStopWords = false;
      while (rows.next()) {
        onlyStopWords = rows.getInt(1) == 0;
        double score = rows.getDouble(SCORE);
        if (!rows.wasNull()) {
          hits.add(new TextHit(MemoryRow.read(rows, MEMORY, projectId, session.vectors()), score));
        }
      }
      return new SearchResult<>(hits, SearchStrategy.NONE, onlyStopWords);
    }
  }
}
