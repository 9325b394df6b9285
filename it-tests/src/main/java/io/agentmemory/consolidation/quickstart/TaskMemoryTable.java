package io.agentmemory.consolidation.quickstart;

import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.sql.Types;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.sql.DataSource;

/**
 * The application's own statements on its own table: the library reads {@code task_memories} and
 * marks what was consolidated, but its rows are the application's to write.
 */
final class TaskMemoryTable {
  private static final String STORED = "select id from %s where id = any (?)";
  private static final String INSERT =
      """
      insert into %s
        (id, project_id, task_id, execution_summary, memory_type, goal, result, feedback,
         tool_usage, context_embedding, success, error_patterns, learned_at)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, coalesce(?, current_timestamp))
      on conflict (id) do nothing
      """;

  private final DataSource dataSource;
  private final String stored;
  private final String insert;

  TaskMemoryTable(DataSource dataSource, SchemaOptions options) {
    String table = options.hostTable().table().sql();
    this.dataSource = dataSource;
    this.stored = STORED.formatted(table);
    this.insert = INSERT.formatted(table);
  }

  /** Which of the memories are in the table. */
  Set<String> stored(List<AgentMemory> memories) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement select = connection.prepareStatement(stored)) {
      String[] ids = memories.stream().map(AgentMemory::id).toArray(String[]::new);
      select.setArray(1, connection.createArrayOf("varchar", ids));
      Set<String> present = new HashSet<>();
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          present.add(rows.getString(1));
        }
      }
      return present;
    }
  }

  /** Writes memories with their embeddings, all or none. */
  void insert(List<AgentMemory> memories, List<Embedding> embeddings) throws SQLException {
    try (Connection connection = dataSource.getConnection();
        PreparedStatement row = connection.prepareStatement(insert)) {
      connection.setAutoCommit(false);
      for (int i = 0; i < memories.size(); i++) {
        AgentMemory memory = memories.get(i);
        row.setString(1, memory.id());
        row.setString(2, memory.projectId());
        row.setString(3, memory.taskId());
        row.setString(4, memory.summary());
        row.setString(5, memory.type().value());
        row.setString(6, memory.goal());
        row.setString(7, memory.result());
        row.setString(8, memory.feedback());
        row.setObject(9, memory.toolUsage(), Types.OTHER);
        row.setObject(10, Arrays.toString(embeddings.get(i).toArray()), Types.OTHER);
        row.setBoolean(11, memory.success());
        row.setObject(12, memory.errorPatterns(), Types.OTHER);
        row.setTimestamp(
            13, memory.learnedAt() == null ? null : Timestamp.from(memory.learnedAt()));
        row.addBatch();
      }
      row.executeBatch();
      connection.commit();
    }
  }
}
