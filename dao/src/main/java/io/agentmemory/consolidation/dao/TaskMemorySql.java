package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.schema.HostTable;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import org.jdbi.v3.core.Handle;

/**
 * The statements that read the host's table.
 *
 * <p>How an embedding is read depends on the type of its expression, which the server is asked for
 * once: arrays come as they are, vectors as {@code float4[]}, which the driver reads in binary.
 */
final class TaskMemorySql {
  private static final String UNCONSOLIDATED =
      """
      select /* consolidation taskMemories.unconsolidated */
      {hostId}, {hostText}, {hostType}, {hostSuccess}, {hostTime}, {hostEmbedding}
      from {host}
      where not is_consolidated and {hostProject} = :project and {hostId} > :after
      order by {hostId}
      limit :limit""";

  private final Sql unconsolidated;
  private final Sql unconsolidatedJoined;

  private TaskMemorySql(Map<String, String> fragments) {
    unconsolidated = Sql.of(Settings.PLAN.around(UNCONSOLIDATED, false), fragments);
    unconsolidatedJoined = Sql.of(Settings.PLAN.around(UNCONSOLIDATED, true), fragments);
  }

  /** Reads a page, within or without a transaction of the caller's. */
  Sql unconsolidated(boolean joined) {
    return joined ? unconsolidatedJoined : unconsolidated;
  }

  static TaskMemorySql of(Handle handle, Names names) throws SQLException {
    Map<String, String> fragments = new HashMap<>(HostColumns.fragments(names));
    fragments.put("hostEmbedding", embedding(handle, names));
    return new TaskMemorySql(fragments);
  }

  private static String embedding(Handle handle, Names names) throws SQLException {
    HostTable host = names.options().hostTable();
    String expression = HostColumns.expression(host.embedding());
    if (host.embedding() == null) {
      return expression;
    }
    String type = type(handle, names, expression);
    return type.equals("_float8") || type.equals("_float4")
        ? expression
        : "cast(" + expression + " as float4[])";
  }

  private static String type(Handle handle, Names names, String expression) throws SQLException {
    String sql =
        "select /* consolidation taskMemories.type */ %s from %s where false"
            .formatted(expression, names.taskMemories());
    try (PreparedStatement statement = handle.getConnection().prepareStatement(sql)) {
      Deadline.apply(JdbiHandles.deadline(handle), statement);
      try (ResultSet none = statement.executeQuery()) {
        return none.getMetaData().getColumnTypeName(1);
      }
    }
  }
}
