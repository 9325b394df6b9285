package io.agentmemory.consolidation.dao;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes a connection for each call and gives it back as it was. Whether it comes with autocommit or
 * without makes no difference.
 */
final class OwnConnections implements Connections {
  private static final Logger LOG = LoggerFactory.getLogger(OwnConnections.class);

  private static final String ISOLATION =
      "set /* consolidation session.isolation */ transaction isolation level read committed";

  private final DataSource dataSource;

  /** What every transaction is about, and is told; null where it need not be. */
  private final @Nullable String projectId;

  OwnConnections(DataSource dataSource, @Nullable String projectId) {
    this.dataSource = dataSource;
    this.projectId = projectId;
  }

  @Override
  public Connections of(String project) {
    return new OwnConnections(dataSource, project);
  }

  @Override
  public <T extends @Nullable Object> T run(
      Database.Mode mode, Progress progress, @Nullable Deadline deadline, Body<T> body)
      throws SQLException {
    Connection connection = dataSource.getConnection();
    try {
      if (Connections.inTransaction(connection)) {
        throw new InvalidInputException(
            "the data source gave a connection with an open transaction, which is somebody else's:"
                + " use Consolidation.joining to take part in it");
      }
      boolean autoCommit = connection.getAutoCommit();
      T result =
          mode.transacts() || projectId != null
              ? transact(connection, progress, mode.writes(), deadline, body)
              : single(connection, progress, mode.writes(), body);
      restore(connection, autoCommit);
      return result;
    } finally {
      close(connection);
    }
  }

  private static <T extends @Nullable Object> T single(
      Connection connection, Progress progress, boolean writes, Body<T> body) throws SQLException {
    boolean autoCommit = connection.getAutoCommit();
    if (!autoCommit) {
      connection.setAutoCommit(true);
    }
    try {
      progress.mayHaveCommitted = writes;
      return body.run(connection);
    } catch (Throwable failure) {
      restore(connection, autoCommit);
      throw failure;
    }
  }

  private <T extends @Nullable Object> T transact(
      Connection connection,
      Progress progress,
      boolean writes,
      @Nullable Deadline deadline,
      Body<T> body)
      throws SQLException {
    boolean autoCommit = connection.getAutoCommit();
    T result;
    try {
      connection.setAutoCommit(false);
      begin(connection, deadline);
      result = body.run(connection);
      progress.mayHaveCommitted = writes;
      connection.commit();
    } catch (Throwable failure) {
      if (rollBack(connection, failure)) {
        restore(connection, autoCommit);
      }
      throw failure;
    }
    return result;
  }

  /** The driver sends BEGIN along with this, so that it costs no round trip of its own. */
  private void begin(Connection connection, @Nullable Deadline deadline) throws SQLException {
    if (projectId == null) {
      try (Statement statement = connection.createStatement()) {
        Deadline.apply(deadline, statement);
        statement.execute(ISOLATION);
      }
      return;
    }
    try (PreparedStatement statement =
        connection.prepareStatement(ISOLATION + ";\n" + ProjectSetting.SET)) {
      Deadline.apply(deadline, statement);
      statement.setString(1, projectId);
      statement.execute();
    }
  }

  private static boolean rollBack(Connection connection, Throwable failure) {
    try {
      connection.rollback();
      return true;
    } catch (SQLException alsoFailed) {
      failure.addSuppressed(alsoFailed);
      abort(connection, failure);
      return false;
    }
  }

  /** Makes sure that nobody commits what could not be rolled back. */
  private static void abort(Connection connection, Throwable failure) {
    try {
      connection.abort(Runnable::run);
    } catch (SQLException alsoFailed) {
      failure.addSuppressed(alsoFailed);
    }
  }

  /** By now the work is done, or has failed for another reason: this must not hide either. */
  private static void restore(Connection connection, boolean autoCommit) {
    try {
      if (connection.getAutoCommit() != autoCommit) {
        connection.setAutoCommit(autoCommit);
      }
    } catch (SQLException broken) {
      LOG.debug("A connection could not be put back as it was", broken);
    }
  }

  private static void close(Connection connection) {
    try {
      connection.close();
    } catch (SQLException broken) {
      LOG.debug("A connection could not be given back", broken);
    }
  }
}
