package io.agentmemory.consolidation.dao;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import org.jspecify.annotations.Nullable;

/**
 * Works on the caller's connection: never commits, rolls back, closes it or changes a setting.
 *
 * @param projectId what the transaction is about during each call, and is told; null where it need
 *     not be
 */
record JoinedConnection(Connection connection, @Nullable String projectId) implements Connections {

  @Override
  public Connections of(String project) {
    return new JoinedConnection(connection, project);
  }

  @Override
  public <T extends @Nullable Object> T run(
      Database.Mode mode, Progress progress, @Nullable Deadline deadline, Body<T> body)
      throws SQLException {
    if (mode.transacts()) {
      return withSavepoint(body);
    }
    progress.mayHaveCommitted = mode == Database.Mode.WRITE && connection.getAutoCommit();
    return ofProject(body);
  }

  private <T extends @Nullable Object> T withSavepoint(Body<T> body) throws SQLException {
    if (connection.getAutoCommit()) {
      throw new InvalidInputException(
          "the joined connection is in autocommit, but this call has several statements that must"
              + " hold together: begin a transaction first, or do not join");
    }
    Savepoint savepoint = connection.setSavepoint();
    T result;
    try {
      result = ofProject(body);
    } catch (Throwable failure) {
      try {
        connection.rollback(savepoint);
        connection.releaseSavepoint(savepoint);
      } catch (SQLException alsoFailed) {
        failure.addSuppressed(alsoFailed);
      }
      throw failure;
    }
    connection.releaseSavepoint(savepoint);
    return result;
  }

  /** Puts back what was said of the project before, unless a rollback has to do that. */
  private <T extends @Nullable Object> T ofProject(Body<T> body) throws SQLException {
    if (projectId == null) {
      return body.run(connection);
    }
    if (connection.getAutoCommit()) {
      throw new InvalidInputException(
          "the joined connection is in autocommit, but with row-level security every call of a"
              + " project needs a transaction: begin one first, or do not join");
    }
    String before = ProjectSetting.exchange(connection, projectId);
    T result;
    try {
      result = body.run(connection);
    } catch (Throwable failure) {
      try {
        if (!Connections.failed(connection)) {
          ProjectSetting.exchange(connection, before);
        }
      } catch (SQLException alsoFailed) {
        failure.addSuppressed(alsoFailed);
      }
      throw failure;
    }
    ProjectSetting.exchange(connection, before);
    return result;
  }
}
