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
  private final SchemaOptions options;
  private final String before;
  private final @Nullable String revision;
  private boolean forAll;
  private @Nullable ScratchDatabase scratch;
  private @Nullable HikariDataSource pool;
  private @Nullable Consolidation consolidation;

  private TestDatabase(SchemaOptions options, String before, @Nullable String revision) {
    this.options = options;
    this.before = before;
    this.revision = revision;
  }

  static TestDatabase with(SchemaOptions options) {
    return new TestDatabase(options, "select 1", null);
  }

  static TestDatabase withDimensions(int dimensions) {
    return with(SchemaOptions.builder().dimensions(dimensions).build());
  }

  /** Runs statements in the empty database before it is upgraded. */
  TestDatabase after(String statements) {
    return new TestDatabase(options, statements, revision);
  }

  /** Goes no further than a revision of the library. */
  TestDatabase upTo(String revision) {
    return new TestDatabase(options, before, revision);
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
    HikariConfig config = new HikariConfig();
    config.setDataSource(scratch.dataSource());
    config.setMaximumPoolSize(4);
    pool = new HikariDataSource(config);
    execute(before);
    Schema schema = Schema.on(pool, options);
    if (revision == null) {
      schema.upgrade();
    } else {
      schema.upgradeTo(revision);
    }
    consolidation = Consolidation.on(pool, options);
  }

  private void close() {
    if (pool != null) {
      pool.close();
    }
    if (scratch != null) {
      scratch.close();
    }
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
  DataSource source(String parameters) {
    ScratchDatabase database = Objects.requireNonNull(scratch);
    PGSimpleDataSource source = new PGSimpleDataSource();
    String url = database.jdbcUrl();
    source.setUrl(url + (url.contains("?") ? "&" : "?") + parameters);
    source.setUser(database.server().user());
    source.setPassword(database.server().password());
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
    try (Connection connection = pool().getConnection();
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
    try (Connection connection = pool().getConnection();
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
}
