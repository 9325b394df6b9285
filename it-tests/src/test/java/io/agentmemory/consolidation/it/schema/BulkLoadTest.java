package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.it.postgres.ForkedJvm;
import io.agentmemory.consolidation.it.postgres.PostgresServer;
import io.agentmemory.consolidation.schema.BuildProgress;
import io.agentmemory.consolidation.schema.BulkLoadResult;
import io.agentmemory.consolidation.schema.ChangeRefusedException;
import io.agentmemory.consolidation.schema.IndexBuilds;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaBusyException;
import io.agentmemory.consolidation.schema.SchemaException;
import io.agentmemory.consolidation.schema.SchemaMismatchException;
import io.agentmemory.consolidation.schema.SchemaOptions;
import io.agentmemory.consolidation.schema.UpgradeResult;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Loads while the HNSW indexes are away, and what becomes of these however it ends. For the system
 * property {@code consolidation.faults.every} see {@link FaultTest}.
 */
class BulkLoadTest {
  private static final int EVERY = Integer.getInteger("consolidation.faults.every", 6);
  private static final SchemaOptions OPTIONS = SchemaOptions.builder().dimensions(8).build();
  private static final String[] INDEXES = {
    "\"public\".\"idx_cm_embedding\"", "\"public\".\"idx_cm_embedding_project\""
  };
  private static final String HNSW =
      "SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'consolidated_memories'::regclass"
          + " AND pg_get_indexdef(indexrelid) LIKE '%USING hnsw%' ORDER BY 1";

  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();
  private String upgraded = "";

  @BeforeEach
  void upgrade() {
    schema().upgrade();
    upgraded = database.dumpSchema();
  }

  private Schema schema() {
    return schema(database.dataSource());
  }

  private static Schema schema(DataSource dataSource) {
    return Schema.on(dataSource, OPTIONS).withDeadline(Duration.ofSeconds(20));
  }

  private static String rows(int from, int to) {
    return """
        INSERT INTO consolidated_memories (id, project_id, content, memory_type, abstraction_level,
          source_memory_ids, embedding, created_at, updated_at, consolidated_at, source_count)
        SELECT 'm' || i, 'p' || i %% 3, 'text', 'decision', 1, '{}',
          (SELECT array_agg(random()) FROM generate_series(1, 8) WHERE i > 0)::vector,
          now(), now(), now(), 0
        FROM generate_series(%d, %d) AS i
        """
        .formatted(from, to);
  }

  private void load(int from, int to) {
    Sql.run(database.dataSource(), rows(from, to));
  }

  private void assertWhole(int rows) {
    assertThat(database.dumpSchema()).isEqualTo(upgraded);
    assertThat(schema().verify()).isEmpty();
    assertThat(schema().status().upToDate()).isTrue();
    assertThat(Sql.rows(database.dataSource(), "SELECT count(*) FROM consolidated_memories"))
        .containsExactly(String.valueOf(rows));
    assertThat(Sql.rows(database.dataSource(), "SELECT 1 FROM pg_index WHERE NOT indisvalid"))
        .isEmpty();
  }

  @Test
  void isWithoutTheIndexesWhileItRunsAndEverybodyIsTold() {
    BulkLoadResult result =
        schema()
            .bulkLoad(
                () -> {
                  load(1, 3000);
                  assertThat(Sql.rows(database.dataSource(), HNSW)).isEmpty();
                  assertThat(schema().status().building()).containsExactly(INDEXES);
                  assertThat(schema().status().upToDate()).isFalse();
                  assertThat(schema().verify())
                      .anyMatch(d -> d.toString().contains("index idx_cm_embedding_project"));
                  assertThat(schema().checkUp())
                      .anyMatch(f -> f.what().contains(INDEXES[0] + " is still to be built"))
                      .anyMatch(f -> f.what().contains(INDEXES[1] + " is still to be built"));
                  UpgradeResult other = schema().upgrade();
                  assertThat(other.built()).isEmpty();
                  assertThat(other.building()).containsExactly(INDEXES);
                  Schema impatient = schema().withDeadline(Duration.ofMillis(100));
                  assertThatExceptionOfType(SchemaBusyException.class)
                      .isThrownBy(() -> impatient.bulkLoad(() -> {}))
                      .withMessageContaining("the lock of index builds is held by pid");
                  assertThatExceptionOfType(SchemaBusyException.class)
                      .isThrownBy(impatient.allowing(Hazard.DELETES_DATA)::downgradeToNothing);
                });
    assertThat(result.built()).containsExactly(INDEXES);
    assertThat(result.notes()).isEmpty();
    assertThat(result.loading()).isPositive();
    assertThat(result.building()).isPositive();
    assertWhole(3000);
    assertThat(schema().checkUp()).noneMatch(f -> f.what().contains("still to be built"));
    assertThat(
            Sql.rows(
                database.dataSource(),
                "SELECT reltuples FROM pg_class WHERE relname = 'consolidated_memories'"))
        .containsExactly("3000");
  }

  @Test
  void buildsTheIndexesToAndThrowsWhatTheLoadThrew() {
    IOException failure = new IOException("the file ends here");
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(
            () ->
                schema()
                    .bulkLoad(
                        () -> {
                          load(1, 10);
                          throw failure;
                        }))
        .isSameAs(failure);
    assertWhole(10);
  }

  @Test
  void needsTheSchemaAndItsOptions() {
    DataSource source = database.dataSource();
    assertThatExceptionOfType(SchemaMismatchException.class)
        .isThrownBy(() -> Schema.on(source).bulkLoad(() -> load(1, 1)));
    SchemaOptions elsewhere = SchemaOptions.builder().dimensions(8).schema("elsewhere").build();
    assertThatExceptionOfType(SchemaMismatchException.class)
        .isThrownBy(() -> Schema.on(source, elsewhere).bulkLoad(() -> load(1, 1)))
        .withMessageContaining("upgrade()");
    assertWhole(0);
  }

  @Test
  void takesOnlyTheIndexesOfTheRevisionsThatAreApplied() {
    schema().downgradeTo("consolidation_001");
    assertThat(schema().bulkLoad(() -> load(1, 10)).built()).containsExactly(INDEXES[0]);
    assertThat(schema().upgrade().building()).isEmpty();
    assertWhole(10);
  }

  private enum Fault {
    CLIENT {
      @Override
      void strike(DataSource other, Connection connection, int pid) throws SQLException {
        connection.abort(Runnable::run);
      }
    },
    BACKEND {
      @Override
      void strike(DataSource other, Connection connection, int pid) {
        Sql.rows(other, "SELECT pg_terminate_backend(" + pid + ", 5000)");
      }
    };

    /** Not the same for both, so that together they meet more statements. */
    int first() {
      return Math.min(EVERY, this == CLIENT ? 1 : 4);
    }

    abstract void strike(DataSource other, Connection connection, int pid) throws SQLException;
  }

  /** Before its statements and commits in turn. */
  @ParameterizedTest
  @EnumSource
  void cutShortAnywhereIsFinishedByTheNextUpgrade(Fault fault) {
    for (int number = fault.first(); ; number += EVERY) {
      StrikingDataSource striking =
          new StrikingDataSource(
              database.dataSource(),
              number,
              (connection, pid) -> fault.strike(database.dataSource(), connection, pid));
      String failure = "no error";
      try {
        schema(striking.dataSource()).bulkLoad(() -> load(1, 100));
      } catch (SchemaException e) {
        failure = e.toString();
      }
      if (!striking.struck()) {
        assertThat(striking.seen()).as("statements").isGreaterThan(20);
        return;
      }
      schema().waitingForIndexes().upgrade();
      assertThat(database.dumpSchema())
          .as("%s before %s (%s)", fault, striking.statement(), failure)
          .isEqualTo(upgraded);
      assertThat(schema().status().upToDate()).as(striking.statement()).isTrue();
      assertThat(Sql.rows(database.dataSource(), "SELECT 1 FROM pg_index WHERE NOT indisvalid"))
          .isEmpty();
      Sql.run(database.dataSource(), "TRUNCATE consolidated_memories");
    }
  }

  /** A process that loads in bulk, and does not come to the end of it. */
  static final class Loader {
    private Loader() {}

    public static void main(String[] arguments) throws InterruptedException {
      DataSource source = ForkedJvm.dataSource(arguments);
      schema(source)
          .bulkLoad(
              () -> {
                Sql.run(source, rows(1, 500));
                System.out.println("loaded");
                Thread.sleep(Duration.ofMinutes(5).toMillis());
              });
    }
  }

  @Test
  void ofAProcessThatIsKilledIsFinishedByTheNextUpgrade() throws Exception {
    Process process =
        ForkedJvm.of(Loader.class, PostgresServer.shared(), database.jdbcUrl(), "info").start();
    try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
      assertThat(output.lines().anyMatch("loaded"::equals)).isTrue();
      assertThat(schema().status().building()).containsExactly(INDEXES);
    } finally {
      process.destroyForcibly().waitFor();
    }
    assertThat(schema().waitingForIndexes().upgrade().built()).containsExactly(INDEXES);
    assertWhole(500);
  }

  @Test
  void isRefusedWhereTheTableIsLargeAlreadyUnlessNobodyWaitsOrThatIsAllowed() {
    load(1, 2000);
    Schema large = schema().withLargeTablesFrom(1 << 10);
    assertThatExceptionOfType(ChangeRefusedException.class)
        .isThrownBy(() -> large.bulkLoad(() -> load(2001, 3000)))
        .satisfies(
            e ->
                assertThat(e.reasons())
                    .singleElement()
                    .asString()
                    .contains("Hazard.BLOCKS_FOR_LONG", "consolidated_memories"));
    assertWhole(2000);
    large.allowing(Hazard.BLOCKS_FOR_LONG).bulkLoad(() -> load(2001, 3000));
    assertWhole(3000);
    RecordingDataSource recording = new RecordingDataSource(database.dataSource());
    schema(recording.dataSource())
        .withLargeTablesFrom(1 << 10)
        .withIndexBuilds(IndexBuilds.ONLINE)
        .bulkLoad(() -> load(3001, 4000));
    assertThat(recording.statements())
        .filteredOn(sql -> sql.startsWith("CREATE INDEX"))
        .hasSize(2)
        .allMatch(sql -> sql.startsWith("CREATE INDEX CONCURRENTLY"));
    assertWhole(4000);
  }

  @Test
  void changesNothingWhereTheTableIsNotToBeHad() throws SQLException {
    try (Connection reader = database.dataSource().getConnection()) {
      reader.setAutoCommit(false);
      Sql.rows(reader, "SELECT 1 FROM consolidated_memories");
      Schema impatient =
          schema().withDeadline(Duration.ofMillis(300)).withLockTimeout(Duration.ofMillis(50));
      assertThatExceptionOfType(SchemaBusyException.class)
          .isThrownBy(() -> impatient.bulkLoad(() -> load(1, 1)))
          .withMessageContaining("drop index");
    }
    assertWhole(0);
  }

  @Test
  void waitsForWritersToEndBeforeItBuildsAndLeavesThatToAnUpgradeIfTheyDoNot() throws SQLException {
    try (Connection writer = database.dataSource().getConnection()) {
      writer.setAutoCommit(false);
      Schema impatient =
          schema().withDeadline(Duration.ofMillis(300)).withLockTimeout(Duration.ofMillis(50));
      assertThatExceptionOfType(SchemaBusyException.class)
          .isThrownBy(() -> impatient.bulkLoad(() -> Sql.run(writer, rows(1, 100))))
          .withMessageContaining("idx_cm_embedding")
          .withMessageContaining("by the next upgrade");
      writer.commit();
    }
    assertThat(schema().status().building()).containsExactly(INDEXES);
    assertThat(schema().bulkLoad(() -> load(101, 200)).built()).containsExactly(INDEXES);
    assertWhole(200);
  }

  @Test
  void sizesMemoryAndWorkersToTheRowsAndPutsTheSessionsSettingsBack() throws SQLException {
    String settings =
        "SELECT current_setting('maintenance_work_mem'),"
            + " current_setting('max_parallel_maintenance_workers'),"
            + " current_setting('lock_timeout'), current_setting('idle_session_timeout')";
    try (Connection only = database.dataSource().getConnection()) {
      Sql.run(only, "SET maintenance_work_mem = '2MB'; SET max_parallel_maintenance_workers = 3");
      RecordingDataSource recording = new RecordingDataSource(Uncloseable.dataSource(only));
      Schema schema = schema().withDirectConnections(recording.dataSource());
      assertThat(schema.bulkLoad(() -> load(1, 5000)).notes()).isEmpty();
      assertThat(recording.statements())
          .anyMatch(
              sql ->
                  sql.contains("'maintenance_work_mem', '98304kB'")
                      && sql.contains("'max_parallel_maintenance_workers', '2'"));
      assertThat(Sql.rows(only, settings)).containsExactly("2MB | 3 | 0 | 0");
      BulkLoadResult small =
          schema.withBuildMemory(1 << 20).withBuildWorkers(0).bulkLoad(() -> load(5001, 6000));
      assertThat(small.notes())
          .hasSize(2)
          .allMatch(note -> note.contains("more than the 2 MB allowed"));
      assertThat(recording.statements())
          .anyMatch(
              sql ->
                  sql.contains("'maintenance_work_mem', '2048kB'")
                      && sql.contains("'max_parallel_maintenance_workers', '0'"));
      assertThat(Sql.rows(only, settings)).containsExactly("2MB | 3 | 0 | 0");
      assertThat(Sql.rows(only, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"))
          .containsExactly("0");
    }
    assertWhole(6000);
  }

  @Test
  void checksWhatABuildMayTake() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> schema().withBuildMemory(1000))
        .withMessageContaining("it is 1000 bytes");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> schema().withBuildWorkers(-1))
        .withMessageContaining("-1");
  }

  @Test
  void tellsAListenerWhenEachIndexIsThere() {
    List<String> finished = new CopyOnWriteArrayList<>();
    schema()
        .withProgress(
            progress -> {
              if (progress.phase().equals(BuildProgress.FINISHED)) {
                finished.add(progress.index());
              }
            })
        .bulkLoad(() -> load(1, 100));
    assertThat(finished).containsExactly("idx_cm_embedding", "idx_cm_embedding_project");
  }

  /**
   * The first index is told of as finished only once the deadline has passed; then a writer is in
   * the way of the second until that was tried twice.
   */
  @Test
  void waitsForWritersUntilTheDeadlineWithEachIndexAnew() throws Exception {
    Duration deadline = Duration.ofSeconds(3);
    RecordingDataSource recording = new RecordingDataSource(database.dataSource());
    ExecutorService pool = Executors.newSingleThreadExecutor();
    try (Connection writer = database.dataSource().getConnection()) {
      writer.setAutoCommit(false);
      Schema patient =
          schema(recording.dataSource())
              .withDeadline(deadline)
              .withLockTimeout(Duration.ofMillis(50))
              .withProgress(
                  progress -> {
                    if (progress.index().equals("idx_cm_embedding")
                        && progress.phase().equals(BuildProgress.FINISHED)) {
                      Sql.run(writer, rows(101, 101));
                      sleep(deadline);
                      pool.execute(() -> rollBackOnceTriedTwice(writer, recording));
                    }
                  });
      assertThat(patient.bulkLoad(() -> load(1, 100)).built()).containsExactly(INDEXES);
    } finally {
      pool.shutdownNow();
    }
    assertWhole(100);
  }

  private static void rollBackOnceTriedTwice(Connection writer, RecordingDataSource recording) {
    while (recording.statements().stream()
            .filter(sql -> sql.startsWith("CREATE INDEX \"idx_cm_embedding_project\""))
            .count()
        < 2) {
      sleep(Duration.ofMillis(5));
    }
    Sql.run(writer, "ROLLBACK");
  }

  private static void sleep(Duration time) {
    try {
      Thread.sleep(time.toMillis());
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
