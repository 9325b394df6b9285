package io.agentmemory.consolidation.it.schema;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.postgresql.PGConnection;

/** Strikes once, before a statement or a commit of a given number; then leaves all alone. */
final class StrikingDataSource {
  private final DataSource target;
  private final int number;
  private final Strike strike;
  private int seen;
  private String statement = "";

  StrikingDataSource(DataSource target, int number, Strike strike) {
    this.target = target;
    this.number = number;
    this.strike = strike;
  }

  /** What happens to a connection. */
  interface Strike {
    void on(Connection connection, int pid) throws SQLException;
  }

  boolean struck() {
    return seen >= number;
  }

  /** How many statements and commits there were. */
  int seen() {
    return seen;
  }

  /** The statement it struck before. */
  String statement() {
    return statement;
  }

  DataSource dataSource() {
    return proxy(DataSource.class, target, null, "");
  }

  private <T> T proxy(Class<T> type, Object object, Connection connection, String prepared) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              boolean text =
                  arguments != null && arguments.length > 0 && arguments[0] instanceof String;
              String sql = text ? (String) arguments[0] : prepared;
              if (object instanceof Statement && method.getName().startsWith("execute")) {
                before(connection, sql);
              }
              if (object instanceof Connection && method.getName().equals("commit")) {
                before(connection, "COMMIT");
              }
              Object result;
              try {
                result = method.invoke(object, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
              if (result instanceof Connection opened && method.getName().equals("getConnection")) {
                return proxy(Connection.class, opened, opened, "");
              }
              if (result instanceof PreparedStatement) {
                return proxy(PreparedStatement.class, result, connection, sql);
              }
              return result instanceof Statement
                  ? proxy(Statement.class, result, connection, sql)
                  : result;
            }));
  }

  private void before(Connection connection, String sql) throws SQLException {
    if (++seen == number) {
      statement = sql;
      strike.on(connection, connection.unwrap(PGConnection.class).getBackendPID());
    }
  }
}
