package io.agentmemory.consolidation.dao;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** The search by words. */
final class TextSearch {
  /** Ranks ids alone, and looks up the rest of what is shown one by one. */
  private static final String SEARCH =
      """
      with /* consolidation search.text */ {leg}
      select {found}, {headline}, f.score, {columns}
      from (select) as always
      left join (
        matching as f cross join lateral (
          select * from {memories} as shown
          where shown.id = f.id and shown.project_id = :project offset 0
        ) as m
      ) on true
      order by f.score desc, f.id collate "C\"""";

  private static final int HEADLINE = 1 + WordLeg.Found.COLUMNS;
  private static final int SCORE = HEADLINE + 1;
  private static final int MEMORY = SCORE + 1;

  private record Shape(
      int filter,
      WordLeg.Shape leg,
      WordMatch match,
      boolean withHeadline,
      boolean withEmbedding,
      boolean joined) {}

  private TextSearch() {}

  private static String template(Shape shape) {
    String search =
        WordSql.into(SEARCH, shape.leg, shape.filter, "")
            .replace("{headline}", TextSql.headline(shape.withHeadline, shape.match))
            .replace("{columns}", MemoryRow.columns(shape.withEmbedding))
            .replace("{filter}", FilterSql.conditions(shape.filter));
    Settings settings = shape.leg.hasOnePlan(shape.filter) ? Settings.GENERIC_PLAN : Settings.PLAN;
    return settings.around(search, shape.joined);
  }

  static SearchResult<TextHit> run(
      MemorySession session, WordStatistics statistics, String projectId, TextQuery query)
      throws SQLException {
    return WordSearch.run(
        session,
        statistics,
        projectId,
        query.text(),
        query.match(),
        query.limit(),
        leg -> run(session, projectId, query, leg));
  }

  private static WordSearch.Result<TextHit> run(
      MemorySession session, String projectId, TextQuery query, WordLeg leg) throws SQLException {
    Headline headline = query.headline();
    Shape shape =
        new Shape(
            FilterSql.shape(query.filter()),
            leg.shape(),
            query.match(),
            headline != null,
            session.withEmbeddings(),
            session.joined());
    try (Call call = session.prepare(shape, TextSearch::template)) {
      FilterSql.bind(query.filter(), call);
      leg.bind(call, query.text(), headline);
      ResultSet rows =
          call.text("project", projectId)
              .integer("depth", query.limit())
              .query(Settings.index(shape.joined));
      List<TextHit> hits = new ArrayList<>(Math.min(query.limit(), 100));
      WordLeg.Found found = WordLeg.Found.NOTHING;
      while (rows.next()) {
        found = WordLeg.Found.read(rows, 1);
        double score = rows.getDouble(SCORE);
        if (!rows.wasNull()) {
          hits.add(
              new TextHit(
                  MemoryRow.read(rows, MEMORY, projectId, session.vectors()),
                  leg.score(score),
                  rows.getString(HEADLINE)));
        }
      }
      return new WordSearch.Result<>(
          new SearchResult<>(hits, SearchStrategy.NONE, found.words() == 0), found);
    }
  }
}
