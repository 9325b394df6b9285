package io.agentmemory.consolidation.it.hostile;

import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** A connection of the test's own to the database that is called at. */
final class Watch implements AutoCloseable {
  /** What there is of the other tenant, and of all. */
  record State(String theirs, String all) {}

  private final Connection connection;

  Watch(ScratchDatabase database) throws SQLException {
    connection = database.dataSource().getConnection();
  }

  void execute(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** Reads the two columns of a query's row. */
  State state(String query) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      row.next();
      return new State(row.getString(1), row.getString(2));
    }
  }

  /** How many sessions are in a transaction though nobody is at work. */
  int leftInTransaction() throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                """
                select count(*) from pg_stat_activity where datname = current_database()
                  and state like 'idle in transaction%'""")) {
      row.next();
      return row.getInt(1);
    }
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
