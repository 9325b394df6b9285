package io.agentmemory.consolidation.it.dao;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A connection that keeps the plan of every statement that was run by it, as the server's {@code
 * auto_explain} tells it: with the settings, the parameters and the connection of that very run.
 */
final class Plans implements AutoCloseable {
  private final Connection connection;
  private final List<String> seen = new CopyOnWriteArrayList<>();

  Plans(Connection connection) throws SQLException {
    this.connection = connection;
    execute("load 'auto_explain'");
    execute("set auto_explain.log_level = notice");
    execute("set auto_explain.log_timing = off");
    resume();
  }

  void resume() throws SQLException {
    execute("set auto_explain.log_analyze = on");
    execute("set auto_explain.log_min_duration = 0");
  }

  void pause() throws SQLException {
    execute("set auto_explain.log_min_duration = -1");
    execute("set auto_explain.log_analyze = off");
  }

  private void execute(String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** The connection, to be used in its place. */
  Connection connection() {
    return proxy(Connection.class, connection);
  }

  private <T> T proxy(Class<T> type, T target) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> invoke(target, method, arguments)));
  }

  private Object invoke(Object target, Method method, Object[] arguments) throws Throwable {
    if (target instanceof PreparedStatement statement && method.getName().equals("close")) {
      for (SQLWarning w = statement.getWarnings(); w != null; w = w.getNextWarning()) {
        seen.add(String.valueOf(w.getMessage()));
      }
    }
    try {
      Object result = method.invoke(target, arguments);
      return result instanceof PreparedStatement statement && !method.getName().equals("unwrap")
          ? proxy(PreparedStatement.class, statement)
          : result;
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  /** The plans since the last time, of statements on our tables. */
  String take() {
    return take("consolidated_memories");
  }

  /** The plans since the last time, of statements on a table. */
  String take(String table) {
    List<String> plans = seen.stream().filter(plan -> plan.contains(table)).toList();
    seen.clear();
    return String.join("\n", plans);
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
