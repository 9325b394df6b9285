package io.agentmemory.consolidation.dao;

import java.sql.Connection;
import org.jdbi.v3.core.ConnectionFactory;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Handles;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.SqlStatements;
import org.jspecify.annotations.Nullable;

/**
 * Makes Jdbi handles over connections that are opened, committed and closed elsewhere.
 *
 * <p>One plain Jdbi serves all of them, so that a handle costs about a microsecond, and nothing is
 * registered on the connection. What the caller configured on a Jdbi of their own does not reach
 * our statements.
 */
final class JdbiHandles {
  private static final String DEADLINE = "consolidation.deadline";

  /** Hands a connection to the factory below, which Jdbi calls on the same thread. */
  private static final ThreadLocal<Connection> NEXT = new ThreadLocal<>();

  private static final Jdbi JDBI = jdbi();

  private JdbiHandles() {}

  /** A handle over a connection, which closing the handle leaves as it is. */
  static Handle over(Connection connection, @Nullable Deadline deadline) {
    NEXT.set(connection);
    Handle handle;
    try {
      handle = JDBI.open();
    } finally {
      NEXT.remove();
    }
    if (deadline != null) {
      handle.getConfig(SqlStatements.class).define(DEADLINE, deadline);
    }
    return handle;
  }

  /** When the handle's call must be done; null where its time is not limited. */
  static @Nullable Deadline deadline(Handle handle) {
    return (Deadline) handle.getConfig(SqlStatements.class).getAttribute(DEADLINE);
  }

  private static Jdbi jdbi() {
    Jdbi jdbi = Jdbi.create(new Borrowed());
    jdbi.getConfig(Handles.class).setForceEndTransactions(false);
    return jdbi;
  }

  private static final class Borrowed implements ConnectionFactory {
    @Override
    public Connection openConnection() {
      return NEXT.get();
    }

    @Override
    public void closeConnection(Connection connection) {
      // It is not ours to close.
    }
  }
}
