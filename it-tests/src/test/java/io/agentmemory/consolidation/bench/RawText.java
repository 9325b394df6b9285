package io.agentmemory.consolidation.bench;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Any of the words, ranked by {@code ts_rank_cd}, by plain JDBC on a connection of its own. */
final class RawText implements Contender {
  private static final String SEARCH =
      """
      select {columns}, ts_rank_cd(content_tsv, query) as score
      from consolidated_memories,
        cast(replace(cast(plainto_tsquery('english', ?) as text), ' & ', ' | ') as tsquery) as query
      where project_id = ? and content_tsv @@ query
      order by score desc, id
      limit 10""";

  private final Connection connection;
  private final PreparedStatement statement;
  private final String project;

  RawText(OurStore store, int project) throws SQLException {
    this.project = DataSet.projectId(project);
    connection = store.connect();
    MemoriesTable.execute(connection, "set plan_cache_mode = force_custom_plan");
    statement = connection.prepareStatement(SEARCH.replace("{columns}", RawSearch.COLUMNS));
  }

  @Override
  public String name() {
    return "OR with ts_rank_cd";
  }

  @Override
  public List<String> ask(Question question) throws SQLException {
    statement.setString(1, question.text());
    statement.setString(2, project);
    List<String> ids = new ArrayList<>(Settings.K);
    try (ResultSet rows = statement.executeQuery()) {
      while (rows.next()) {
        ids.add(rows.getString(1));
      }
    }
    return ids;
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
