package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.schema.BuildProgress;
import io.agentmemory.consolidation.schema.ChangeRefusedException;
import io.agentmemory.consolidation.schema.IndexBuilds;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaBusyException;
import io.agentmemory.consolidation.schema.SchemaException;
import io.agentmemory.consolidation.schema.TerminalProgress;
import io.agentmemory.consolidation.schema.UpgradeResult;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Indexes on a host's table that is too large to be blocked while they are built. */
class OnlineIndexTest {
  private static final String[] HOST_INDEXES = {
    "\"public\".\"idx_tm_consolidated\"", "\"public\".\"idx_tm_consolidated_into\""
  };
  private static final String PENDING =
      "SELECT pending FROM consolidation_history WHERE revision = 'consolidation_001'";

  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();
  private final ExecutorService pool = Executors.newCachedThreadPool();

  @BeforeEach
  void fillHostTable() {
    Sql.run(
        database.dataSource(),
        """
        CREATE EXTENSION vector;
        CREATE TABLE task_memories (id text PRIMARY KEY, body text);
        INSERT INTO task_memories SELECT i::text, repeat('x', 200) FROM generate_series(1, 20000) i;
        """);
  }

  @AfterEach
  void endThreads() {
    pool.shutdownNow();
  }

  private Schema large() {
    return Schema.on(database.dataSource())
        .withLargeTablesFrom(1 << 20)
        .withDeadline(Duration.ofSeconds(30));
  }

  @Test
  void areBuiltAfterTheCommitAndEndAtTheSameCatalog() {
    UpgradeResult result = large().upgradeTo("consolidation_001");
    assertThat(result.built()).containsExactly(HOST_INDEXES);
    assertThat(result.building()).isEmpty();
    assertThat(large().verify()).isEmpty();
    assertThat(Sql.rows(database.dataSource(), PENDING)).containsExactly("[]");
    String online = database.dumpSchema();
    Schema plain = Schema.on(database.dataSource()).withIndexBuilds(IndexBuilds.IN_TRANSACTION);
    assertThat(plain.downgradeToNothing().undone()).hasSize(2);
    assertThat(plain.upgradeTo("consolidation_001").built()).isEmpty();
    assertThat(database.dumpSchema()).isEqualTo(online);
  }

  @Test
  void areNotBuiltInTheTransactionUnlessTheHazardIsAllowed() {
    Schema schema = large().withIndexBuilds(IndexBuilds.IN_TRANSACTION);
    assertThatExceptionOfType(ChangeRefusedException.class)
        .isThrownBy(schema::upgrade)
        .satisfies(e -> assertThat(e.reasons()).hasSize(3))
        .withMessageContaining("Hazard.BLOCKS_FOR_LONG: create index idx_tm_consolidated, table");
    assertThat(Schema.on(database.dataSource()).status().applied()).isEmpty();
    assertThat(schema.allowing(Hazard.BLOCKS_FOR_LONG).upgrade().built()).isEmpty();
  }

  @Test
  void arePendingWhileSomebodyElseBuildsThemAndOthersReturnAtOnceOrWait() throws Exception {
    try (Connection reader = database.dataSource().getConnection()) {
      Future<UpgradeResult> builder = startBuildThatWaitsFor(reader);
      long begin = System.nanoTime();
      UpgradeResult other = large().upgrade();
      assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(5));
      assertThat(other.applied()).isEmpty();
      assertThat(other.building()).contains(HOST_INDEXES);
      assertThat(other.notes()).singleElement().asString().contains("Indexes are building", "pid ");
      assertThat(large().status().upToDate()).isFalse();
      assertThatExceptionOfType(SchemaBusyException.class)
          .isThrownBy(
              () -> large().waitingForIndexes().withDeadline(Duration.ofMillis(200)).upgrade())
          .withMessageContaining("the lock of index builds is held by pid")
          .withMessageContaining("CREATE INDEX CONCURRENTLY");
      assertThatExceptionOfType(SchemaBusyException.class)
          .isThrownBy(() -> large().withDeadline(Duration.ofMillis(200)).downgradeToNothing())
          .withMessageContaining("the lock of index builds is held by pid");
      Future<UpgradeResult> waiter = pool.submit(() -> large().waitingForIndexes().upgrade());
      reader.rollback();
      assertThat(builder.get(30, TimeUnit.SECONDS).built()).contains(HOST_INDEXES);
      assertThat(waiter.get(30, TimeUnit.SECONDS).building()).isEmpty();
    }
    assertThat(large().status().upToDate()).isTrue();
    assertThat(large().verify()).isEmpty();
  }

  @Test
  void areRepairedByTheNextUpgradeWhereABuildIsKilledInTheMiddle() throws Exception {
    try (Connection reader = database.dataSource().getConnection()) {
      Future<UpgradeResult> builder = startBuildThatWaitsFor(reader);
      awaitRows("SELECT 1 FROM pg_index WHERE NOT indisvalid");
      Sql.run(
          database.dataSource(),
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
              + " WHERE query LIKE 'CREATE INDEX CONCURRENTLY%' AND datname = current_database()");
      assertThat(builder)
          .failsWithin(30, TimeUnit.SECONDS)
          .withThrowableOfType(java.util.concurrent.ExecutionException.class)
          .withCauseInstanceOf(SchemaException.class);
      reader.rollback();
    }
    assertThat(Sql.rows(database.dataSource(), PENDING).get(0)).contains("idx_tm_consolidated");
    UpgradeResult repaired = large().upgrade();
    assertThat(repaired.notes()).anyMatch(note -> note.contains("invalid, left by a build"));
    assertThat(repaired.built()).contains(HOST_INDEXES);
    assertThat(large().verify()).isEmpty();
    assertThat(large().status().upToDate()).isTrue();
  }

  @Test
  void areOnlyRecordedWhereTheBuildEndedBeforeThat() {
    large().upgrade();
    Sql.run(
        database.dataSource(),
        "UPDATE consolidation_history SET pending = '[\"\\\"public\\\".\\\"idx_tm_consolidated\\\"\"]'"
            + " WHERE revision = 'consolidation_001'");
    UpgradeResult result = large().upgrade();
    assertThat(result.built()).isEmpty();
    assertThat(result.notes())
        .singleElement()
        .asString()
        .contains("built, by an upgrade that ended");
    assertThat(Sql.rows(database.dataSource(), PENDING)).containsExactly("[]");
  }

  @Test
  void areNotTakenForBuiltWhereAnotherIndexHasTheName() {
    large().upgrade();
    String pending =
        "UPDATE consolidation_history SET pending = '[\"\\\"public\\\".\\\"idx_tm_consolidated\\\"\"]'"
            + " WHERE revision = 'consolidation_001'; DROP INDEX idx_tm_consolidated;";
    Sql.run(
        database.dataSource(),
        pending
            + "CREATE TABLE other (id text); CREATE INDEX idx_tm_consolidated ON other (id);"
            + "UPDATE pg_index SET indisvalid = false"
            + " WHERE indexrelid = 'idx_tm_consolidated'::regclass");
    String before = database.dumpSchema();
    for (Runnable call : List.<Runnable>of(() -> large().upgrade(), () -> large().plan())) {
      assertThatExceptionOfType(SchemaException.class)
          .isThrownBy(call::run)
          .withMessageContaining("idx_tm_consolidated\" is another than is to be built")
          .withMessageContaining("ON public.other");
    }
    assertThat(database.dumpSchema()).isEqualTo(before);
    Sql.run(
        database.dataSource(),
        "DROP TABLE other; CREATE INDEX idx_tm_consolidated ON task_memories USING hash (id)");
    assertThatExceptionOfType(SchemaException.class)
        .isThrownBy(large()::upgrade)
        .withMessageContaining("USING hash (id)");
    Sql.run(database.dataSource(), "DROP INDEX idx_tm_consolidated");
    assertThat(large().upgrade().built()).containsExactly(HOST_INDEXES[0]);
    assertThat(large().verify()).isEmpty();
  }

  @Test
  void canBeTakenBackWhileTheyAreStillPending() {
    String before = database.dumpSchema();
    large().upgrade();
    Sql.run(
        database.dataSource(),
        "UPDATE consolidation_history SET pending = '[\"\\\"public\\\".\\\"idx_tm_consolidated\\\"\"]'"
            + " WHERE revision = 'consolidation_001'; DROP INDEX idx_tm_consolidated");
    large().downgradeToNothing();
    assertThat(database.dumpSchema()).isEqualTo(before);
  }

  @Test
  void areRefusedBeforeAnyChangeWhereTheNameIsTaken() {
    Sql.run(database.dataSource(), "CREATE INDEX idx_tm_consolidated ON task_memories (body)");
    assertThatExceptionOfType(SchemaException.class)
        .isThrownBy(() -> large().upgrade())
        .withMessageContaining("idx_tm_consolidated\" is there already");
    assertThat(large().status().applied()).isEmpty();
  }

  @Test
  void tellAListenerAndATerminalHowFarTheyAre() throws Exception {
    List<BuildProgress> reports = new CopyOnWriteArrayList<>();
    ByteArrayOutputStream terminal = new ByteArrayOutputStream();
    TerminalProgress shown =
        TerminalProgress.on(new PrintStream(terminal, true, StandardCharsets.UTF_8));
    try (Connection reader = database.dataSource().getConnection()) {
      Schema schema =
          large()
              .withProgress(
                  report -> {
                    reports.add(report);
                    shown.progress(report);
                  });
      Future<UpgradeResult> builder = startBuildThatWaitsFor(reader, schema);
      long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
      while (reports.stream().noneMatch(report -> report.phase().startsWith("waiting for"))
          && System.nanoTime() < end) {
        Thread.sleep(20);
      }
      reader.rollback();
      builder.get(30, TimeUnit.SECONDS);
    }
    assertThat(reports)
        .anySatisfy(
            report -> {
              assertThat(report.index()).isEqualTo("idx_tm_consolidated");
              assertThat(report.phase()).startsWith("waiting for");
              assertThat(report.unit()).isEqualTo("transactions");
              assertThat(report.total()).isPositive();
            });
    assertThat(reports)
        .filteredOn(report -> report.phase().equals(BuildProgress.FINISHED))
        .extracting(BuildProgress::index)
        .contains("idx_tm_consolidated", "idx_tm_consolidated_into");
    assertThat(terminal.toString(StandardCharsets.UTF_8))
        .contains("idx_tm_consolidated: waiting for", "idx_tm_consolidated_into: finished");
  }

  @Test
  void leaveTheSessionsSettingsAsTheyWere() throws SQLException {
    try (Connection only = database.dataSource().getConnection()) {
      Sql.run(only, "SET lock_timeout = '1234ms'; SET search_path = public");
      large().withDirectConnections(Uncloseable.dataSource(only)).upgrade();
      assertThat(
              Sql.rows(
                  only,
                  "SELECT current_setting('lock_timeout'), current_setting('search_path'),"
                      + " current_setting('client_connection_check_interval')"))
          .containsExactly("1234ms | public | 0");
      assertThat(Sql.rows(only, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"))
          .containsExactly("0");
    }
  }

  /** A transaction that has read the host's table is in the way of a build, not of the rest. */
  private Future<UpgradeResult> startBuildThatWaitsFor(Connection reader) throws Exception {
    return startBuildThatWaitsFor(reader, large());
  }

  private Future<UpgradeResult> startBuildThatWaitsFor(Connection reader, Schema schema)
      throws Exception {
    reader.setAutoCommit(false);
    reader.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    Sql.rows(reader, "SELECT 1");
    Future<UpgradeResult> builder = pool.submit(schema::upgrade);
    awaitRows(
        "SELECT 1 FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting for%' AND datname ="
            + " current_database()");
    return builder;
  }

  private void awaitRows(String sql) throws InterruptedException {
    long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (Sql.rows(database.dataSource(), sql).isEmpty()) {
      assertThat(System.nanoTime()).as(sql).isLessThan(end);
      Thread.sleep(20);
    }
  }
}
