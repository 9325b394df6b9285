package io.agentmemory.consolidation.dao;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.pool.HikariPool.PoolInitializationException;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** A pool of the library's own. The only class that needs HikariCP. */
final class Pool implements AutoCloseable {
  private static final String OPERATION = "open";

  private final HikariDataSource dataSource;

  private Pool(HikariDataSource dataSource) {
    this.dataSource = dataSource;
  }

  static Pool open(String jdbcUrl, @Nullable String user, @Nullable String password) {
    HikariConfig config = new HikariConfig();
    config.setPoolName("consolidation");
    config.setJdbcUrl(jdbcUrl);
    config.setUsername(user);
    config.setPassword(password);
    config.addDataSourceProperty("ApplicationName", "consolidation");
    try {
      return new Pool(new HikariDataSource(config));
    } catch (PoolInitializationException failure) {
      SQLException cause = Failures.sqlException(failure);
      if (cause == null) {
        throw failure;
      }
      throw Failures.translate(OPERATION, cause, false);
    }
  }

  DataSource dataSource() {
    return dataSource;
  }

  @Override
  public void close() {
    dataSource.close();
  }
}
