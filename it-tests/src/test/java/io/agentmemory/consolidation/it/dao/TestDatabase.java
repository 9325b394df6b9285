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
 * instance field, for all tests of a class in a static one. It is a copy of one that was upgraded
 * once for all tests that want the same.
 */
final class TestDatabase
    implements BeforeAllCallback, AfterAllCallback, BeforeEachCallback, AfterEachCallback {
  /** Three dimensions, the rest as by default. */
  static final SchemaOptions SMALL = SchemaOptions.builder().dimensions(3).build();

  private final Original original;
  private final boolean pooled;
  private boolean forAll;
  private @Nullable ScratchDatabase scratch;
  private @Nullable HikariDataSource pool;
  private @Nullable Consolidation consolidation;

  /** What is the same in all databases that are copies of one. */
  private record Original(
      SchemaOptions options, String before, @Nullable String revision, String rows) {
    /** The one that is copied; it is dropped when all tests have ended. */
    ScratchDatabase in(ExtensionContext context) {
      return context
          .getRoot()
          .getStore(ExtensionContext.Namespace.create(TestDatabase.class))
          .getOrComputeIfAbsent(this, Original::upgraded, ScratchDatabase.class);
    }

    private ScratchDatabase upgraded() {
      ScratchDatabase database = PostgresServer.shared().freshDatabase("dao_original");
      try (Connection connection = database.dataSource().getConnection()) {
        execute(connection, before);
        Schema schema = Schema.on(database.dataSource(), options);
        if (revision == null) {
          schema.upgrade();
        } else {
          schema.upgradeTo(revision);
        }
        if (!rows.isEmpty()) {
          TestDatabase.fillWithoutHnsw(connection, rows);
        }
        return database;
      } catch (SQLException e) {
        throw new IllegalStateException("No database of " + this, e);
      }
    }
  }

  private TestDatabase(Original original, boolean pooled) {
    this.original = original;
    this.pooled = pooled;
  }

  static TestDatabase with(SchemaOptions options) {
    return new TestDatabase(new Original(options, "", null, ""), true);
  }

  static TestDatabase withDimensions(int dimensions) {
    return with(SchemaOptions.builder().dimensions(dimensions).build());
  }

  /** Runs statements in the empty database before it is upgraded. */
  TestDatabase after(String statements) {
    return new TestDatabase(
        new Original(original.options, statements, original.revision, original.rows), pooled);
  }

  /** Goes no further than a revision of the library. */
  TestDatabase upTo(String revision) {
    return new TestDatabase(
        new Original(original.options, original.before, revision, original.rows), pooled);
  }

  /** Has rows, as {@link #fillWithoutHnsw} makes them. */
  TestDatabase filledBy(String statements) {
    return new TestDatabase(
        new Original(original.options, original.before, original.revision, statements), pooled);
  }

  /** Has a connection of its own for every call, for tests that end sessions or look at them. */
  TestDatabase withoutPool() {
    return new TestDatabase(original, false);
  }

  @Override
  public void beforeAll(ExtensionContext context) {
    forAll = true;
    open(context);
  }

  @Override
  public void afterAll(ExtensionContext context) {
    close();
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    if (!forAll) {
      open(context);
    }
  }

  @Override
  public void afterEach(ExtensionContext context) {
    if (!forAll) {
      close();
    }
  }

  private void open(ExtensionContext context) {
    scratch = PostgresServer.shared().copy(original.in(context), "dao");
    if (pooled) {
      HikariConfig config = new HikariConfig();
      config.setDataSource(scratch.dataSource());
      config.setMaximumPoolSize(4);
      pool = new HikariDataSource(config);
    }
    consolidation = Consolidation.on(connections(), options());
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
    return original.options;
  }

  void execute(String sql) throws SQLException {
    try (Connection connection = connections().getConnection()) {
      execute(connection, sql);
    }
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** Fills while the HNSW indexes are away, builds them again and vacuums and analyses. */
  void fillWithoutHnsw(String statements) throws SQLException {
    try (Connection connection = connections().getConnection()) {
      fillWithoutHnsw(connection, statements);
    }
  }

  private static void fillWithoutHnsw(Connection connection, String statements)
      throws SQLException {
    List<String> definitions =
        rows(
            connection,
            """
            select pg_get_indexdef(name::regclass)
            from unnest(array['idx_cm_embedding', 'idx_cm_embedding_project']) as name""");
    execute(connection, "drop index idx_cm_embedding, idx_cm_embedding_project");
    execute(connection, statements);
    // Workers of a parallel build wait for each other, long where the machine has other work.
    execute(connection, "set max_parallel_maintenance_workers = 0");
    execute(connection, String.join("; ", definitions));
    execute(connection, "reset max_parallel_maintenance_workers");
    execute(connection, "vacuum analyze consolidated_memories");
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
