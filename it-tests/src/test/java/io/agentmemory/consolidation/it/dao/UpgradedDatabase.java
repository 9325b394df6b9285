package io.agentmemory.consolidation.it.dao;

import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.it.postgres.PostgresServer;
import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.postgresql.ds.PGSimpleDataSource;

/** A new database for each test, upgraded with options, after statements of the host's. */
final class UpgradedDatabase implements BeforeEachCallback, AfterEachCallback {
  /** Three dimensions, the rest as by default. */
  static final SchemaOptions SMALL = SchemaOptions.builder().dimensions(3).build();

  private final SchemaOptions options;
  private final String host;
  private @Nullable ScratchDatabase database;

  private UpgradedDatabase(SchemaOptions options, String host) {
    this.options = options;
    this.host = host;
  }

  static UpgradedDatabase small() {
    return with(SMALL, "");
  }

  static UpgradedDatabase with(SchemaOptions options, String host) {
    return new UpgradedDatabase(options, host);
  }

  @Override
  public void beforeEach(ExtensionContext context) throws SQLException {
    database = PostgresServer.shared().freshDatabase("dao");
    if (!host.isEmpty()) {
      execute(host);
    }
    Schema.on(dataSource(), options).upgrade();
  }

  @Override
  public void afterEach(ExtensionContext context) {
    if (database != null) {
      database.close();
    }
  }

  SchemaOptions options() {
    return options;
  }

  ScratchDatabase scratch() {
    return Objects.requireNonNull(database);
  }

  /** A connection of its own for every call. */
  DataSource dataSource() {
    return scratch().dataSource();
  }

  /** The same with a parameter of the server's, such as {@code -c work_mem=4MB}. */
  DataSource dataSource(String serverOptions) {
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setUrl(scratch().jdbcUrl());
    dataSource.setUser(scratch().server().user());
    dataSource.setPassword(scratch().server().password());
    dataSource.setOptions(serverOptions);
    return dataSource;
  }

  Consolidation consolidation() {
    return Consolidation.on(dataSource(), options);
  }

  void execute(String sql) throws SQLException {
    try (Connection connection = dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** The first row as text, its columns parted by a bar. */
  String row(String sql) throws SQLException {
    return rows(sql).get(0);
  }

  /** All rows as text, their columns parted by a bar. */
  List<String> rows(String sql) throws SQLException {
    try (Connection connection = dataSource().getConnection()) {
      return rows(connection, sql);
    }
  }

  static List<String> rows(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      List<String> rows = new ArrayList<>();
      while (row.next()) {
        List<String> columns = new ArrayList<>();
        for (int i = 1; i <= row.getMetaData().getColumnCount(); i++) {
          columns.add(String.valueOf(row.getString(i)));
        }
        rows.add(String.join("|", columns));
      }
      return rows;
    }
  }

  /** Adds a row to the host's table as {@code task_memories_001} creates it. */
  void taskMemory(String id, String project) throws SQLException {
    execute(
        """
        insert into task_memories (id, project_id, task_id, execution_summary, success)
        values ('%s', '%s', 'task', 'did %s', true)
        """
            .formatted(id, project, id));
  }
}
