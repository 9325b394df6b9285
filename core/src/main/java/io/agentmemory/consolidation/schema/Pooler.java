package io.agentmemory.consolidation.schema;

import java.lang.reflect.InvocationTargetException;
import java.sql.Connection;
import java.sql.SQLException;

/** Notices a connection pooler between this client and the server. */
final class Pooler {
  private Pooler() {}

  /**
   * Whether the process that the driver was told of when it connected is another than the one that
   * runs its statements. PgBouncer makes up a number of its own. The driver is asked by its public
   * interface; one that does not have it is taken to be connected directly.
   */
  static boolean between(Connection connection) {
    try {
      Class<?> driver = Class.forName("org.postgresql.PGConnection");
      if (!connection.isWrapperFor(driver)) {
        return false;
      }
      Object driven = connection.unwrap(driver);
      if (!driver.isInstance(driven)) {
        return false;
      }
      Object told = driver.getMethod("getBackendPID").invoke(driven);
      String pid =
          new Session(connection).value("see the process", "SELECT pg_catalog.pg_backend_pid()");
      return !String.valueOf(told).equals(pid);
    } catch (ClassNotFoundException
        | NoSuchMethodException
        | IllegalAccessException
        | InvocationTargetException
        | SQLException e) {
      return false;
    }
  }

  static final String ADVICE =
      "this connection goes through a pooler, which cannot keep the lock of an online index build."
          + " Give connections that lead to the server itself by Schema.withDirectConnections";
}
