package io.agentmemory.consolidation.it.postgres;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.Statement;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.QueryExecutor;

/**
 * Writes down each different text that reaches the driver as SQL: statements, batches, COPY, names
 * of savepoints. Stands below the pool, so that nothing gets around it by unwrapping.
 */
public final class RecordedSql {
  private static final List<Class<?>> RECORDED =
      List.of(
          CallableStatement.class, PreparedStatement.class, Statement.class, QueryExecutor.class);
  private static final Set<String> TAKE_SQL =
      Set.of(
          "prepareStatement",
          "prepareCall",
          "execute",
          "executeQuery",
          "executeUpdate",
          "executeLargeUpdate",
          "execSQLQuery",
          "execSQLUpdate",
          "addBatch",
          "startCopy",
          "setSavepoint");

  private final Set<String> texts = ConcurrentHashMap.newKeySet();
  private final AtomicLong uses = new AtomicLong();

  /** The texts so far. */
  public Set<String> texts() {
    return texts;
  }

  /** How often the database was asked for something. */
  public long uses() {
    return uses.get();
  }

  /** The same data source, with what its connections are asked for written down. */
  public DataSource of(DataSource target) {
    return recording(DataSource.class, target);
  }

  private <T> T recording(Class<T> type, Object target) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              if (method.getName().startsWith("execute") || TAKE_SQL.contains(method.getName())) {
                record(arguments);
              }
              try {
                Object result = method.invoke(target, arguments);
                return method.getName().equals("unwrap") ? result : wrapped(result);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            }));
  }

  private void record(@Nullable Object @Nullable [] arguments) {
    uses.incrementAndGet();
    if (arguments != null && arguments.length > 0 && arguments[0] instanceof String sql) {
      texts.add(sql);
    }
  }

  private @Nullable Object wrapped(@Nullable Object result) {
    if (result instanceof Connection && !Proxy.isProxyClass(result.getClass())) {
      return recording(BaseConnection.class, result);
    }
    for (Class<?> type : RECORDED) {
      if (type.isInstance(result)) {
        return recording(type, result);
      }
    }
    return result;
  }
}
