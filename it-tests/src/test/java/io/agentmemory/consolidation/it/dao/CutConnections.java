package io.agentmemory.consolidation.it.dao;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a connection once: before the server is sent a statement or commit, or before it is known
 * what came of it. Only what watched threads do counts: 1 is before their first statement, 2 after
 * it, 3 before their second, and so on.
 */
final class CutConnections {
  private final DataSource target;
  private final int number;
  private final AtomicInteger seen = new AtomicInteger();
  private final Set<Thread> watched = ConcurrentHashMap.newKeySet();

  CutConnections(DataSource target, int number) {
    this.target = target;
    this.number = number;
  }

  DataSource dataSource() {
    return proxy(DataSource.class, target, null);
  }

  /** Does something whose statements count. */
  void watch(Runnable work) {
    watched.add(Thread.currentThread());
    work.run();
  }

  boolean struck() {
    return seen.get() >= number;
  }

  private <T> T proxy(Class<T> type, Object object, @Nullable Connection connection) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> invoke(object, connection, method, arguments)));
  }

  private Object invoke(
      Object object, @Nullable Connection connection, Method method, Object[] arguments)
      throws Throwable {
    boolean counts =
        watched.contains(Thread.currentThread())
            && ((object instanceof Statement && method.getName().startsWith("execute"))
                || (object instanceof Connection && method.getName().equals("commit")));
    if (counts && seen.incrementAndGet() == number) {
      connection.abort(Runnable::run);
    }
    Object result;
    try {
      result = method.invoke(object, arguments);
    } catch (InvocationTargetException failure) {
      throw failure.getCause();
    }
    if (counts && seen.incrementAndGet() == number) {
      connection.abort(Runnable::run);
      throw new SQLException("cut before the answer", "08006");
    }
    if (result instanceof Connection opened && object instanceof DataSource) {
      return proxy(Connection.class, opened, opened);
    }
    if (result instanceof PreparedStatement) {
      return proxy(PreparedStatement.class, result, connection);
    }
    return result instanceof Statement ? proxy(Statement.class, result, connection) : result;
  }
}
