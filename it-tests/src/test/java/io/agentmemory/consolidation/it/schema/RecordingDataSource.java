package io.agentmemory.consolidation.it.schema;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.sql.DataSource;

/** Writes down every statement that goes over its connections. */
final class RecordingDataSource {
  private final DataSource target;
  private final List<String> statements = new CopyOnWriteArrayList<>();

  RecordingDataSource(DataSource target) {
    this.target = target;
  }

  List<String> statements() {
    return statements;
  }

  DataSource dataSource() {
    return recording(DataSource.class, target, "");
  }

  private <T> T recording(Class<T> type, Object object, String prepared) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              String sql =
                  arguments != null && arguments.length > 0 && arguments[0] instanceof String text
                      ? text
                      : prepared;
              if (object instanceof Statement && method.getName().startsWith("execute")) {
                statements.add(sql);
              }
              Object result;
              try {
                result = method.invoke(object, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
              if (result instanceof Connection) {
                return recording(Connection.class, result, "");
              }
              Optional<Class<?>> statement =
                  Arrays.<Class<?>>asList(java.sql.PreparedStatement.class, Statement.class)
                      .stream()
                      .filter(method.getReturnType()::equals)
                      .findFirst();
              return statement.isPresent() ? recording(statement.get(), result, sql) : result;
            }));
  }
}
