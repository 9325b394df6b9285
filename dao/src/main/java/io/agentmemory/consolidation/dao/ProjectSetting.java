package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.schema.SchemaOptions;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/**
 * Tells the server which project a transaction is about. What it is told lasts until the
 * transaction ends, so that no session, and nobody who gets it from a pool, keeps it.
 */
final class ProjectSetting {
  private static final String NAME = "'" + SchemaOptions.PROJECT_SETTING + "'";

  /** Names the project; shows no rows of any other from here on. */
  static final String SET =
      "select /* consolidation session.project */ set_config(" + NAME + ", ?, true)";

  private static final String EXCHANGE =
      "select /* consolidation session.project */ coalesce(current_setting("
          + NAME
          + ", true), ''), set_config("
          + NAME
          + ", ?, true)";

  private ProjectSetting() {}

  /** Names another project, and gives the one that was named before, or an empty string. */
  static String exchange(Connection connection, String projectId) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(EXCHANGE)) {
      statement.setString(1, projectId);
      ResultSet row = statement.executeQuery();
      row.next();
      return row.getString(1);
    }
  }
}
