package io.agentmemory.consolidation.schema;

import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;

/** A session that holds the lock of builds and has the settings for them, until it is closed. */
final class BuildSession implements AutoCloseable {
  private final Connection connection;
  private final boolean autoCommit;
  private final SessionSettings settings;
  private final UpgradeLock lock;

  private BuildSession(
      Connection connection, boolean autoCommit, SessionSettings settings, UpgradeLock lock) {
    this.connection = connection;
    this.autoCommit = autoCommit;
    this.settings = settings;
    this.lock = lock;
  }

  /** Waits for whoever holds the lock, until the deadline. */
  static BuildSession open(DataSource dataSource, SchemaOptions options, Waiting waiting)
      throws SQLException {
    Connection connection = dataSource.getConnection();
    boolean autoCommit = true;
    try {
      autoCommit = connection.getAutoCommit();
      connection.setAutoCommit(true);
      if (Pooler.between(connection)) {
        throw new SchemaException("Nothing was changed: " + Pooler.ADVICE);
      }
      SessionSettings settings = SessionSettings.forBuilds(new Session(connection));
      UpgradeLock lock = UpgradeLock.ofBuilds(options.schema());
      BuildSession opened = new BuildSession(connection, autoCommit, settings, lock);
      try {
        lock.takeForSession(opened.session(), waiting);
      } catch (RuntimeException e) {
        settings.close();
        throw e;
      }
      return opened;
    } catch (RuntimeException | SQLException e) {
      Runner.giveBack(connection, autoCommit);
      throw e;
    }
  }

  Session session() {
    return settings.session();
  }

  @Override
  public void close() {
    lock.release(session());
    settings.close();
    Runner.giveBack(connection, autoCommit);
  }
}
