package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.it.postgres.ForkedJvm;
import io.agentmemory.consolidation.it.postgres.LogCapture;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaBusyException;
import io.agentmemory.consolidation.schema.SchemaException;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What is logged of changes to a schema, with which fields; of what is adopted and converted, see
 * {@link AdoptTablesTest}.
 */
@Timeout(120)
class LogTest {
  private static final SchemaOptions OPTIONS = SchemaOptions.builder().dimensions(3).build();
  private static final String SECRET = "what nobody else may read";

  /** Lets others read, but not build an index. */
  private static final String BUSY = "LOCK TABLE consolidated_memories IN ROW EXCLUSIVE MODE";

  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();
  private final ExecutorService pool = Executors.newSingleThreadExecutor();

  @AfterEach
  void endThreads() {
    pool.shutdownNow();
  }

  private Schema schema() {
    return Schema.on(database.dataSource(), OPTIONS).withDeadline(Duration.ofSeconds(30));
  }

  private void hostTable() {
    Sql.run(
        database.dataSource(),
        """
        CREATE EXTENSION vector;
        CREATE TABLE task_memories (id text PRIMARY KEY, body text);
        INSERT INTO task_memories SELECT i::text, repeat('x', 200) FROM generate_series(1, 20000) i;
        """);
  }

  /** A transaction that has written to a table, which is in the way of its change. */
  private Connection busyWith(String write) throws Exception {
    Connection busy = database.dataSource().getConnection();
    busy.setAutoCommit(false);
    Sql.run(busy, "SET application_name = 'the writer'");
    Sql.run(busy, write);
    return busy;
  }

  @Test
  void upgradesAndDowngradesTellTheirRevisionsAndHowLong() throws Exception {
    assertThat(LogCapture.of(() -> schema().upgrade()))
        .containsPattern(
            "INFO Upgrader - schema=public revisions=\\[task_memories_001, consolidation_001.*\\]"
                + " elapsedMillis=\\d+ Applied revisions");
    assertThat(LogCapture.of(() -> schema().downgradeToNothing()))
        .containsPattern(
            "INFO Downgrader - schema=public revisions=\\[.*task_memories_001\\]"
                + " elapsedMillis=\\d+ Took revisions back");
  }

  @Test
  void whoWaitsTellsWhoIsInTheWayButNotWhatTheyWrite() throws Exception {
    hostTable();
    try (LogCapture log = LogCapture.start();
        Connection busy = busyWith("INSERT INTO task_memories VALUES ('a', '" + SECRET + "')")) {
      Future<?> upgrade = pool.submit(schema().withLockTimeout(Duration.ofMillis(50))::upgrade);
      log.await("INFO Runner - schema=public attempt=2 sqlState=55P03 Waiting for others: ");
      busy.rollback();
      upgrade.get(60, TimeUnit.SECONDS);
      assertThat(log.text())
          .contains("application the writer", "INSERT INTO task_memories VALUES (")
          .doesNotContain(SECRET);
    }
  }

  @Test
  void whoWaitsForTheLockOfBuildsTellsWhoHoldsItOnce() throws Exception {
    schema().upgrade();
    String log =
        LogCapture.of(
            () ->
                schema()
                    .bulkLoad(
                        () ->
                            assertThatExceptionOfType(SchemaBusyException.class)
                                .isThrownBy(
                                    () ->
                                        schema()
                                            .withDeadline(Duration.ofMillis(300))
                                            .bulkLoad(() -> {}))));
    assertThat(log)
        .containsOnlyOnce("INFO UpgradeLock - schema=public Waiting for others: the lock of index");
  }

  @Test
  void aBuildTellsItsIndexAndHowLongAndAListenerThatFails() throws Exception {
    hostTable();
    Schema large =
        schema()
            .withLargeTablesFrom(1 << 20)
            .withProgress(
                progress -> {
                  throw new IllegalStateException("as the test wants");
                });
    assertThat(LogCapture.of(() -> large.upgradeTo("consolidation_001")))
        .contains(
            "INFO OnlineBuilder - schema=public index=\"public\".\"idx_tm_consolidated\" Building an"
                + " index online")
        .containsPattern(
            "INFO OnlineBuilder - schema=public index=\"public\".\"idx_tm_consolidated\""
                + " elapsedMillis=\\d+ Built an index")
        .contains(
            "WARN BuildMonitor - index=idx_tm_consolidated The progress listener failed; it is")
        .contains("java.lang.IllegalStateException: as the test wants");
  }

  @Test
  void aBulkLoadTellsItsIndexesAndHowLong() throws Exception {
    schema().upgrade();
    assertThat(LogCapture.of(() -> schema().bulkLoad(() -> {})))
        .containsPattern(
            "INFO BulkLoader - schema=public indexes=\\[.*idx_cm_embedding.*\\] A bulk load begins")
        .contains(
            "INFO OnlineBuilder - schema=public index=\"public\".\"idx_cm_embedding\" Building")
        .containsPattern(
            "INFO BulkLoader - schema=public indexes=\\[.*idx_cm_embedding.*\\] loadMillis=\\d+"
                + " buildMillis=\\d+ A bulk load has ended");
    assertThat(
            LogCapture.of(
                () ->
                    assertThatExceptionOfType(IllegalStateException.class)
                        .isThrownBy(
                            () ->
                                schema()
                                    .bulkLoad(
                                        () -> {
                                          throw new IllegalStateException("as the test wants");
                                        }))))
        .containsPattern(
            "WARN BulkLoader - schema=public indexes=\\[.*idx_cm_embedding.*\\] loadMillis=\\d+ A"
                + " bulk load failed");
  }

  @Test
  void aBuildThatIsTriedAgainTellsTheIndexAndTheSqlState() throws Exception {
    schema().upgrade();
    try (LogCapture log = LogCapture.start();
        Connection busy = database.dataSource().getConnection()) {
      busy.setAutoCommit(false);
      Future<?> load =
          pool.submit(
              () ->
                  schema()
                      .withLockTimeout(Duration.ofMillis(50))
                      .bulkLoad(() -> Sql.run(busy, BUSY)));
      log.await("Building an index again");
      busy.rollback();
      load.get(60, TimeUnit.SECONDS);
      assertThat(log.text())
          .containsPattern(
              "INFO BlockingBuild - schema=public index=\"public\".\"idx_cm_\\w+\" attempt=1 sqlState=55P03"
                  + " Building an index again");
    }
  }

  @Test
  void anExtensionWithKnownFaultsIsToldByItsVersion() throws Exception {
    schema().upgrade();
    Sql.run(
        database.dataSource(),
        "UPDATE pg_catalog.pg_extension SET extversion = '0.8.1' WHERE extname = 'vector'");
    assertThat(LogCapture.of(() -> schema().upgrade()))
        .contains("WARN ExtensionCheck - version=0.8.1 pgvector 0.8.1 has known faults");
  }

  @Test
  void connectionsThatAreLostAreOfInterestOnlyAtTheLevelDebug() throws Exception {
    Process jvm =
        ForkedJvm.of(Losing.class, database.get().server(), database.jdbcUrl(), "debug")
            .redirectErrorStream(true)
            .start();
    String log = new String(jvm.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(jvm.waitFor()).as(log).isZero();
    assertThat(log)
        .contains(
            "DEBUG Runner - The connection is lost",
            "DEBUG UpgradeLock - The connection is lost, and the lock with it",
            "DEBUG SessionSettings - The session's settings were not put back",
            "DEBUG BuildMonitor - No progress is reported");
  }

  /** Loses its connections in an upgrade, in a bulk load, and while it watches a build. */
  static final class Losing {
    private static final String END_OTHERS =
        """
        SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()""";
    private static final String END_WATCHER =
        END_OTHERS + " AND query LIKE '%pg_stat_progress_create_index%'";

    private Losing() {}

    public static void main(String[] arguments) throws Exception {
      DataSource target = ForkedJvm.dataSource(arguments);
      StrikingDataSource cut =
          new StrikingDataSource(target, 5, (connection, pid) -> Sql.run(target, END_OTHERS));
      assertThatExceptionOfType(SchemaException.class)
          .isThrownBy(() -> Schema.on(cut.dataSource(), OPTIONS).upgrade());
      Schema schema = Schema.on(target, OPTIONS);
      schema.upgrade();
      assertThatExceptionOfType(SchemaException.class)
          .isThrownBy(() -> schema.bulkLoad(() -> Sql.run(target, END_OTHERS)));
      try (LogCapture log = LogCapture.start()) {
        schema.withProgress(progress -> endWatcher(target, log)).bulkLoad(() -> {});
        System.out.println(log.text());
      }
    }

    /** Not for long at a time: who watches may have to wait until this report is over. */
    private static void endWatcher(DataSource target, LogCapture log) {
      long end = System.nanoTime() + Duration.ofSeconds(2).toNanos();
      while (System.nanoTime() < end && !log.text().contains("No progress is reported")) {
        Sql.rows(target, END_WATCHER);
      }
    }
  }
}
