package io.agentmemory.consolidation.dao;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/** Has the statements that others make on a connection end with the call that they are part of. */
final class LimitedConnection {
  private LimitedConnection() {}

  /** The same connection, each of whose statements gets the time that is left when it is made. */
  static Connection over(Connection connection, @Nullable Deadline deadline) {
    if (deadline == null) {
      return connection;
    }
    return (Connection)
        Proxy.newProxyInstance(
            LimitedConnection.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            (proxy, method, arguments) -> {
              try {
                Object result = method.invoke(connection, arguments);
                if (result instanceof Statement statement) {
                  limit(statement, deadline);
                }
                return result;
              } catch (InvocationTargetException failure) {
                throw failure.getCause();
              }
            });
  }

  private static void limit(Statement statement, Deadline deadline) throws SQLException {
    try {
      deadline.limit(statement);
    } catch (SQLException tooLate) {
      statement.close();
      throw tooLate;
    }
  }
}
