package io.agentmemory.consolidation.dao;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import org.jdbi.v3.core.ConnectionFactory;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Handles;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.SqlStatements;
import org.jdbi.v3.core.statement.StatementContext;
import org.jdbi.v3.core.statement.StatementCustomizer;
import org.jdbi.v3.core.statement.TemplateEngine;
import org.jspecify.annotations.Nullable;

/**
 * Makes Jdbi handles over connections that are opened, committed and closed elsewhere.
 *
 * <p>One plain Jdbi serves all of them, so that its caches of parsed SQL are shared, a handle costs
 * about a microsecond, and nothing is registered on the connection. What the caller configured on a
 * Jdbi of their own does not reach our statements.
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

  /** Limits a statement that is made without Jdbi to the time that the handle's call has left. */
  static void limit(Handle handle, Statement statement) throws SQLException {
    limit(handle.getConfig(SqlStatements.class).getAttribute(DEADLINE), statement);
  }

  /** Fails if the handle's call has no time left, for work that no statement limits. */
  static void checkDeadline(Handle handle) throws SQLException {
    Object deadline = handle.getConfig(SqlStatements.class).getAttribute(DEADLINE);
    if (deadline != null) {
      ((Deadline) deadline).check();
    }
  }

  private static void limit(@Nullable Object deadline, Statement statement) throws SQLException {
    if (deadline != null) {
      ((Deadline) deadline).limit(statement);
    }
  }

  private static Jdbi jdbi() {
    Jdbi jdbi = Jdbi.create(new Borrowed());
    jdbi.getConfig(Handles.class).setForceEndTransactions(false);
    jdbi.getConfig(SqlStatements.class)
        .setTemplateEngine(TemplateEngine.NOP)
        .addCustomizer(
            new StatementCustomizer() {
              @Override
              public void beforeExecution(PreparedStatement statement, StatementContext context)
                  throws SQLException {
                limit(context.getAttribute(DEADLINE), statement);
              }
            });
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
