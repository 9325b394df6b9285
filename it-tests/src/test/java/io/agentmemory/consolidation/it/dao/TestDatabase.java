package io.agentmemory.consolidation.it.dao;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
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
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A database of its own, upgraded, and dropped at the end: for each test as an extension in an
 * instance field, for all tests of a class in a static one.
 */
final class TestDatabase
    implements BeforeAllCallback, AfterAllCallback, BeforeEachCallback, AfterEachCallback {
  /** Three dimensions, the rest as by default. */
  static final SchemaOptions SMALL = SchemaOptions.builder().dimensions(3).build();

  private final SchemaOptions options;
  private final String before;
  private final @Nullable String revision;
  private final boolean pooled;
  private boolean forAll;
  private @Nullable ScratchDatabase scratch;
  private @Nullable HikariDataSource pool;
  private @Nullable Consolidation consolidation;

  private TestDatabase(
      SchemaOptions options, String before, @Nullable String revision, boolean pooled) {
    this.options = options;
    this.before = before;
    this.revision = revision;
    this.pooled = pooled;
  }

  static TestDatabase with(SchemaOptions options) {
    return new TestDatabase(options, "", null, true);
  }

  static TestDatabase withDimensions(int dimensions) {
    return with(SchemaOptions.builder().dimensions(dimensions).build());
  }

  /** Runs statements in the empty database before it is upgraded. */
  TestDatabase after(String statements) {
    return new TestDatabase(options, statements, revision, pooled);
  }

  /** Goes no further than a revision of the library. */
  TestDatabase upTo(String revision) {
    return new TestDatabase(options, before, revision, pooled);
  }

  /** Has a connection of its own for every call, for tests that end sessions or look at them. */
  TestDatabase withoutPool() {
    return new TestDatabase(options, before, revision, false);
  }

  @Override
  public void beforeAll(ExtensionContext context) throws SQLException {
    forAll = true;
    open();
  }

  @Override
  public void afterAll(ExtensionContext context) {
    close();
  }

  @Override
  public void beforeEach(ExtensionContext context) throws SQLException {
    if (!forAll) {
      open();
    }
  }

  @Override
  public void afterEach(ExtensionContext context) {
    if (!forAll) {
      close();
    }
  }

  private void open() throws SQLException {
    scratch = PostgresServer.shared().freshDatabase("dao");
    if (pooled) {
      HikariConfig config = new HikariConfig();
      config.setDataSource(scratch.dataSource());
      config.setMaximumPoolSize(4);
      pool = new HikariDataSource(config);
    }
    if (!before.isEmpty()) {
      execute(before);
    }
    Schema schema = Schema.on(connections(), options);
    if (revision == null) {
      schema.upgrade();
    } else {
      schema.upgradeTo(revision);
    }
    consolidation = Consolidation.on(connections(), options);
  }

  private void close() {
    if (pool != null) {
      pool.close();
    }
    if (scratch != null) {
      scratch.close();
    }
  }

  private DataSource connections() {
    return pool == null ? dataSource() : pool;
  }

  /** A pool of at most four connections. */
  HikariDataSource pool() {
    return Objects.requireNonNull(pool);
  }

  ScratchDatabase scratch() {
    return Objects.requireNonNull(scratch);
  }

  /** A connection that the driver makes, with parameters like {@code prepareThreshold=0}. */
  Connection connect(String parameters) throws SQLException {
    return source(parameters).getConnection();
  }

  /** Connections that the driver makes, each one new. */
  PGSimpleDataSource source(String parameters) {
    PGSimpleDataSource source = new PGSimpleDataSource();
    String url = scratch().jdbcUrl();
    source.setUrl(url + (url.contains("?") ? "&" : "?") + parameters);
    source.setUser(scratch().server().user());
    source.setPassword(scratch().server().password());
    return source;
  }

  /** Connections, each one new. */
  DataSource dataSource() {
    return scratch().dataSource();
  }

  /** The same with a parameter of the server's, such as {@code -c work_mem=4MB}. */
  DataSource dataSource(String serverOptions) {
    PGSimpleDataSource source = source("");
    source.setOptions(serverOptions);
    return source;
  }

  Consolidation consolidation() {
    return Objects.requireNonNull(consolidation);
  }

  ConsolidatedMemoryDao memories() {
    return consolidation().memories();
  }

  SchemaOptions options() {
    return options;
  }

  void execute(String sql) throws SQLException {
    try (Connection connection = connections().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** Fills while the HNSW indexes are away, builds them again and vacuums and analyses. */
  void fillWithoutHnsw(String statements) throws SQLException {
    String amongAll = value("select pg_get_indexdef('idx_cm_embedding'::regclass)");
    String byProject = value("select pg_get_indexdef('idx_cm_embedding_project'::regclass)");
    execute("drop index idx_cm_embedding, idx_cm_embedding_project");
    execute(statements);
    execute(amongAll + "; " + byProject);
    execute("vacuum analyze consolidated_memories");
  }

  /** The first column of every row, as text. */
  List<@Nullable String> column(String sql) throws SQLException {
    try (Connection connection = connections().getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      List<@Nullable String> values = new ArrayList<>();
      while (rows.next()) {
        values.add(rows.getString(1));
      }
      return values;
    }
  }

  /** The first column of the first row, as text. */
  @Nullable String value(String sql) throws SQLException {
    return column(sql).get(0);
  }

  /** The first row as text, its columns parted by a bar. */
  String row(String sql) throws SQLException {
    return rows(sql).get(0);
  }

  /** All rows as text, their columns parted by a bar. */
  List<String> rows(String sql) throws SQLException {
    try (Connection connection = connections().getConnection()) {
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
