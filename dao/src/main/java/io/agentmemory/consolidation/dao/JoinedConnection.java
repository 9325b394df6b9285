package io.agentmemory.consolidation.dao;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import org.jspecify.annotations.Nullable;

/** Works on the caller's connection: never commits, rolls back, closes it or changes a setting. */
record JoinedConnection(Connection connection) implements Connections {

  @Override
  public <T extends @Nullable Object> T run(
      Database.Mode mode, Progress progress, @Nullable Deadline deadline, Body<T> body)
      throws SQLException {
    if (mode == Database.Mode.TRANSACT) {
      return withSavepoint(body);
    }
    progress.mayHaveCommitted = mode == Database.Mode.WRITE && connection.getAutoCommit();
    return body.run(connection);
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
      result = body.run(connection);
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
}
