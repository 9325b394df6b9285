package io.agentmemory.consolidation.bench;

import com.pgvector.PGvector;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The nearest rows of a project by plain JDBC on a connection of its own: one prepared statement,
 * the vector in binary, the columns that the library reads too, of which only the id is looked at.
 */
final class RawSearch implements Contender {
  /** The columns of a memory without its embedding. */
  static final String COLUMNS =
      "id, project_id, content, memory_type, abstraction_level, pattern_type, confidence_score,"
          + " source_memory_ids, tags, consolidation_method, created_at, updated_at,"
          + " consolidated_at, source_count, reuse_count";

  private static final String NEAREST =
      """
      select {columns}, embedding <=> {vector} as distance
      from consolidated_memories
      where project_id = {project} and embedding is not null{filter}
      order by distance
      limit 10""";

  /** The sum is no order that an index has. */
  private static final String EXACT = NEAREST.replace("order by distance", "order by {sum}");

  private static final String RESORTED =
      "with found as materialized (\n" + NEAREST + "\n)\nselect * from found order by distance + 0";

  private final String name;
  private final Connection connection;
  private final PreparedStatement statement;
  private final int vectors;
  private final String project;

  RawSearch(OurStore store, GridPoint point, int project, boolean filtered) throws SQLException {
    this.name = point.toString();
    this.project = DataSet.projectId(project);
    connection = store.connect();
    PGvector.addVectorType(connection);
    MemoriesTable.execute(connection, "select '[1]'::vector");
    for (String setting : point.settings()) {
      MemoriesTable.execute(connection, setting);
    }
    String sql = sql(point.kind(), "?", "?", filtered);
    vectors = point.kind() == GridPoint.Kind.EXACT ? 2 : 1;
    statement = connection.prepareStatement(sql);
  }

  static String sql(GridPoint.Kind kind, String vector, String project, boolean filtered) {
    String template =
        switch (kind) {
          case EXACT -> EXACT;
          case HNSW, STRICT -> NEAREST;
          case RELAXED -> RESORTED;
        };
    String filter = " and memory_type = '" + DataSet.RARE.name().toLowerCase(Locale.ROOT) + "'";
    return template
        .replace("{columns}", COLUMNS)
        .replace("{sum}", "(embedding <=> {vector}) + 0")
        .replace("{vector}", vector)
        .replace("{project}", project)
        .replace("{filter}", filtered ? filter : "");
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public List<String> ask(Question question) throws SQLException {
    PGvector vector = new PGvector(question.vector());
    statement.setObject(1, vector);
    statement.setString(2, project);
    if (vectors == 2) {
      statement.setObject(3, vector);
    }
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
