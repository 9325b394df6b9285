package io.agentmemory.consolidation.bench;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.TreeMap;

/** A database as an application's role has it, to which row-level security applies. */
final class SecuredStore implements AutoCloseable {
  static final SchemaOptions OFF = OurStore.OPTIONS;
  static final SchemaOptions ON = OFF.toBuilder().rowLevelSecurity(true).build();

  private static final String SCANS =
      """
      select indexrelname, idx_scan from pg_stat_user_indexes where relname = '%1$s'
      union all select 'the whole table', seq_scan from pg_stat_user_tables where relname = '%1$s'"""
          .formatted(MemoriesTable.NAME);

  private final ScratchDatabase database;
  private final String role;
  private final HikariDataSource pool;
  private final Consolidation consolidation;

  private SecuredStore(ScratchDatabase database, SchemaOptions options) throws SQLException {
    this.database = database;
    this.role = database.name() + "_app";
    execute("create role " + role + " login password 'app'");
    execute(Schema.grantsScript(options, role));
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(database.jdbcUrl());
    config.setUsername(role);
    config.setPassword("app");
    config.setMaximumPoolSize(1);
    this.pool = new HikariDataSource(config);
    this.consolidation = Consolidation.on(pool, options);
  }

  static SecuredStore of(ScratchDatabase database, SchemaOptions options) throws SQLException {
    return new SecuredStore(database, options);
  }

  Consolidation consolidation() {
    return consolidation;
  }

  private void execute(String sql) throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      MemoriesTable.execute(connection, sql);
    }
  }

  void delete(String project) throws SQLException {
    execute("delete from %s where project_id = '%s'".formatted(MemoriesTable.NAME, project));
    execute("checkpoint");
  }

  /** The indexes that a search scans, but for the primary key's. */
  String scanned(Contender search, Question question) throws Exception {
    Map<String, Long> before = scans();
    search.ask(question);
    Map<String, Long> after = scans();
    after
        .keySet()
        .removeIf(name -> name.endsWith("_pkey") || after.get(name).equals(before.get(name)));
    return String.join(", ", after.keySet());
  }

  /** Counted up to now; the pool has a single connection, which tells what it has done. */
  private Map<String, Long> scans() throws SQLException {
    Map<String, Long> scans = new TreeMap<>();
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("select pg_stat_force_next_flush()");
      try (ResultSet rows = statement.executeQuery(SCANS)) {
        while (rows.next()) {
          scans.put(rows.getString(1), rows.getLong(2));
        }
      }
    }
    return scans;
  }

  @Override
  public void close() throws SQLException {
    pool.close();
    execute("drop owned by " + role);
    execute("drop role " + role);
  }
}
