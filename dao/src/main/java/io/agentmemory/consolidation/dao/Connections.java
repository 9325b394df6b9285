package io.agentmemory.consolidation.dao;

import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;

/** Runs work on a connection, in the transaction that its mode asks for. */
interface Connections {

  <T extends @Nullable Object> T run(
      Database.Mode mode, Progress progress, @Nullable Deadline deadline, Body<T> body)
      throws SQLException;

  /** The same, about the rows of one project: its work is in a transaction that says so. */
  Connections of(String projectId);

  /** What is done with the connection. */
  interface Body<T extends @Nullable Object> {
    T run(Connection connection) throws SQLException;
  }

  /** How far a call came. */
  final class Progress {
    /** Whether the server may have committed by now. */
    boolean mayHaveCommitted;
  }

  /** Whether the transaction takes nothing but a rollback; the driver knows without asking. */
  static boolean failed(Connection connection) throws SQLException {
    return connection.isWrapperFor(BaseConnection.class)
        && connection.unwrap(BaseConnection.class).getTransactionState() == TransactionState.FAILED;
  }

  /** Whether the server sees the connection in a transaction; the driver knows without asking. */
  static boolean inTransaction(Connection connection) throws SQLException {
    return connection.isWrapperFor(BaseConnection.class)
        && connection.unwrap(BaseConnection.class).getTransactionState() != TransactionState.IDLE;
  }
}
