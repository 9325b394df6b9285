package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.it.postgres.LogCapture;
import io.agentmemory.consolidation.schema.BuildProgress;
import io.agentmemory.consolidation.schema.ChangeRefusedException;
import io.agentmemory.consolidation.schema.ConversionResult;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaBusyException;
import io.agentmemory.consolidation.schema.SchemaException;
import io.agentmemory.consolidation.schema.SchemaMismatchException;
import io.agentmemory.consolidation.schema.SchemaOptions;
import io.agentmemory.consolidation.schema.VectorType;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tables that another tool's migration made; here as SQLAlchemy writes those of consolidation_001.
 */
class AdoptTablesTest {
  private static final SchemaOptions OPTIONS = SchemaOptions.builder().dimensions(3).build();

  private static final String HOST =
      """
      CREATE EXTENSION vector;
      CREATE TABLE task_memories (id VARCHAR NOT NULL, project_id VARCHAR NOT NULL,
        execution_summary TEXT, PRIMARY KEY (id));
      """;

  private static final String TABLES =
      """
      CREATE TABLE consolidated_memories (
        id VARCHAR NOT NULL,
        project_id VARCHAR NOT NULL,
        content TEXT NOT NULL,
        memory_type VARCHAR(50) NOT NULL,
        abstraction_level INTEGER NOT NULL,
        pattern_type VARCHAR(50),
        confidence_score FLOAT,
        source_memory_ids VARCHAR[] NOT NULL,
        embedding FLOAT[],
        tags VARCHAR(50)[],
        consolidation_method VARCHAR(100),
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
        consolidated_at TIMESTAMP WITH TIME ZONE NOT NULL,
        source_count INTEGER NOT NULL,
        reuse_count INTEGER DEFAULT '0' NOT NULL,
        CONSTRAINT consolidated_memories_abstraction_check CHECK (abstraction_level IN (1, 2, 3)),
        CONSTRAINT consolidated_memories_type_check CHECK (memory_type IN ('error_fix',
          'discovery', 'decision', 'learning', 'warning', 'codebase_knowledge')),
        PRIMARY KEY (id));
      CREATE TABLE consolidation_jobs (
        id VARCHAR NOT NULL,
        project_id VARCHAR NOT NULL,
        status VARCHAR(50) NOT NULL,
        trigger_type VARCHAR(50) NOT NULL,
        scope JSONB DEFAULT '{}',
        phases_completed VARCHAR[] DEFAULT '{}',
        metrics JSONB DEFAULT '{}',
        started_at TIMESTAMP WITH TIME ZONE,
        completed_at TIMESTAMP WITH TIME ZONE,
        duration_seconds INTEGER,
        error_message TEXT,
        retry_count INTEGER DEFAULT '0' NOT NULL,
        max_retries INTEGER DEFAULT '3' NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        triggered_by VARCHAR(255),
        CONSTRAINT consolidation_jobs_status_check CHECK (status IN ('pending', 'running',
          'completed', 'failed', 'cancelled')),
        CONSTRAINT consolidation_jobs_trigger_check CHECK (trigger_type IN ('scheduled', 'manual',
          'threshold')),
        PRIMARY KEY (id));
      ALTER TABLE task_memories ADD COLUMN consolidated_into_id VARCHAR;
      ALTER TABLE task_memories ADD COLUMN is_consolidated BOOLEAN DEFAULT 'false' NOT NULL;
      ALTER TABLE consolidated_memories ADD COLUMN content_tsv tsvector
        GENERATED ALWAYS AS (to_tsvector('english', coalesce(content, ''))) STORED;
      CREATE INDEX idx_cm_project ON consolidated_memories (project_id);
      CREATE INDEX idx_cm_abstraction ON consolidated_memories (abstraction_level);
      CREATE INDEX idx_cm_type ON consolidated_memories (memory_type);
      CREATE INDEX idx_cm_pattern ON consolidated_memories (pattern_type);
      CREATE INDEX idx_cm_created ON consolidated_memories (consolidated_at);
      CREATE INDEX idx_cm_tags ON consolidated_memories USING gin (tags);
      CREATE INDEX idx_cm_source_ids ON consolidated_memories USING gin (source_memory_ids);
      CREATE INDEX idx_cm_content_tsv ON consolidated_memories USING gin (content_tsv);
      CREATE INDEX idx_cj_project_status ON consolidation_jobs (project_id, status);
      CREATE INDEX idx_cj_created ON consolidation_jobs (created_at);
      CREATE INDEX idx_cj_trigger_type ON consolidation_jobs (trigger_type);
      CREATE INDEX idx_tm_consolidated ON task_memories (is_consolidated)
        WHERE is_consolidated = true;
      CREATE INDEX idx_tm_consolidated_into ON task_memories (consolidated_into_id)
        WHERE consolidated_into_id IS NOT NULL;
      """;

  private static final String VECTORS =
      """
      ALTER TABLE consolidated_memories ALTER embedding TYPE vector(3);
      CREATE INDEX idx_cm_embedding ON consolidated_memories USING hnsw
        (embedding vector_cosine_ops) WHERE embedding IS NOT NULL;
      """;

  private static final String ROWS =
      """
      INSERT INTO consolidated_memories (id, project_id, content, memory_type, abstraction_level,
        source_memory_ids, embedding, created_at, updated_at, consolidated_at, source_count)
      SELECT 'm' || i, 'p', 'memory', 'learning', 1, '{}',
        CASE WHEN i %% 10 > 0 THEN ARRAY[i, 0.1, 1.0 / i] END, now(), now(), now(), 0
      FROM generate_series(%d, %d) i
      """;

  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();
  private Schema schema;

  @BeforeEach
  void create() {
    Sql.run(database.dataSource(), HOST);
    schema = Schema.on(database.dataSource(), OPTIONS).allowing(Hazard.LOSES_PRECISION);
  }

  @Test
  void areRecordedAsTheyAreAndUpgradedFromThere() throws Exception {
    String host = database.dumpSchema();
    Sql.run(database.dataSource(), TABLES + VECTORS);
    String before = database.dumpSchema("--exclude-table=consolidation_history");
    String log =
        LogCapture.of(
            () ->
                assertThat(schema.adopt().applied())
                    .containsExactly("task_memories_001", "consolidation_001"));
    assertThat(log)
        .contains(
            "INFO Adopter - schema=public revisions=[task_memories_001, consolidation_001] Adopted");
    assertThat(database.dumpSchema("--exclude-table=consolidation_history")).isEqualTo(before);
    assertThat(schema.verify()).isEmpty();
    assertThat(schema.adopt().applied()).isEmpty();
    assertThat(schema.upgrade().applied())
        .containsExactly("consolidation_002", "consolidation_003", "consolidation_004");
    assertThat(schema.verify()).isEmpty();
    schema.downgradeToNothing();
    assertThat(database.dumpSchema()).isEqualTo(host);
  }

  @Test
  void areRecordedWithTheLaterRevisionsThatAreThere() {
    Sql.run(database.dataSource(), TABLES + VECTORS);
    schema.adopt();
    schema.upgradeTo("consolidation_003");
    Sql.run(database.dataSource(), "DROP TABLE consolidation_history");
    assertThat(schema.adopt().applied()).hasSize(4).endsWith("consolidation_003");
    assertThat(schema.upgrade().applied()).containsExactly("consolidation_004");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      textBlock =
          """
          DROP INDEX idx_cm_tags ; index idx_cm_tags: expected USING gin (tags), found absent ; CREATE INDEX "idx_cm_tags" ON "public"."consolidated_memories" USING gin ("tags")
          DROP INDEX idx_cm_type | CREATE INDEX idx_cm_type ON consolidated_memories (id) ; index idx_cm_type: expected USING btree (memory_type), found USING btree (id) ; DROP INDEX "public"."idx_cm_type"
          ALTER TABLE consolidation_jobs ALTER max_retries SET DEFAULT 5 ; column max_retries default: expected 3, found 5 ; ALTER TABLE "public"."consolidation_jobs" ALTER COLUMN "max_retries" SET DEFAULT 3
          ALTER TABLE consolidation_jobs ALTER status TYPE text ; column status type: expected character varying(50), found text ; ALTER COLUMN "status" TYPE character varying(50)
          ALTER TABLE consolidated_memories ALTER source_count DROP NOT NULL ; column source_count null: expected not null, found null ; ALTER COLUMN "source_count" SET NOT NULL
          ALTER TABLE consolidated_memories ADD mood integer ; column mood type: expected absent, found integer ; DROP COLUMN "mood"
          ALTER TABLE task_memories DROP COLUMN is_consolidated ; column is_consolidated type: expected boolean, found absent ; ADD COLUMN "is_consolidated" boolean NOT NULL DEFAULT false
          ALTER TABLE consolidation_jobs DROP CONSTRAINT consolidation_jobs_pkey ; constraint consolidation_jobs_pkey: expected PRIMARY KEY (id), found absent ; ADD CONSTRAINT "consolidation_jobs_pkey" PRIMARY KEY (id)
          DROP TABLE consolidation_jobs ; "public"."consolidation_jobs": expected a table, found absent ; CREATE TABLE "public"."consolidation_jobs" (
          """)
  void areRefusedWithEachDifferenceAndWhatWouldHaveToChange(
      String drift, String difference, String remedy) {
    Sql.run(database.dataSource(), TABLES + VECTORS + drift.replace('|', ';'));
    String before = database.dumpSchema();
    assertThatExceptionOfType(SchemaMismatchException.class)
        .isThrownBy(schema::adopt)
        .withMessageContaining("Nothing was recorded. The tables of public are not those of")
        .satisfies(
            e ->
                assertThat(e.differences())
                    .anyMatch(text -> text.contains(difference) && text.contains(remedy)));
    assertThat(database.dumpSchema()).isEqualTo(before);
  }

  @Test
  void areRefusedWithNumbersForEmbeddingsUntilThoseAreConverted() {
    Sql.run(database.dataSource(), TABLES + ROWS.formatted(1, 1200));
    assertThatExceptionOfType(SchemaMismatchException.class)
        .isThrownBy(schema::adopt)
        .withMessageContaining(
            "column embedding type: expected public.vector(3), found double precision[]")
        .withMessageContaining("Schema.convertEmbeddings() turns it into that online");
    Schema unallowed = Schema.on(database.dataSource(), OPTIONS);
    assertThatExceptionOfType(ChangeRefusedException.class)
        .isThrownBy(unallowed::convertEmbeddings)
        .withMessageContaining("Hazard.LOSES_PRECISION: double precision[] to vector(3)");
    List<BuildProgress> reports = new CopyOnWriteArrayList<>();

    ConversionResult result = schema.withProgress(reports::add).convertEmbeddings();

    assertThat(result.converted()).isTrue();
    assertThat(result.rows()).isEqualTo(1080);
    assertThat(reports)
        .filteredOn(report -> report.unit().equals("rows"))
        .extracting(BuildProgress::done)
        .containsExactly(500L, 1000L, 1200L, 1200L);
    schema.adopt();
    schema.upgrade();
    assertThat(schema.verify()).isEmpty();
    assertThat(schema.convertEmbeddings()).isEqualTo(new ConversionResult(false, 0, List.of()));
    assertThat(
            Sql.rows(
                database.dataSource(),
                "SELECT count(*), count(embedding), max(embedding::text) FILTER (WHERE id = 'm2')"
                    + " FROM consolidated_memories"))
        .containsExactly("1200 | 1080 | [2,0.1,0.5]");
  }

  @Test
  void areConvertedToHalfPrecisionWhereTheDimensionsAskForIt() {
    Sql.run(
        database.dataSource(),
        TABLES
            + ROWS.formatted(1, 20)
            + "; UPDATE consolidated_memories SET embedding = array_fill(embedding[1],"
            + " ARRAY[3072]) WHERE embedding IS NOT NULL");
    Schema many =
        Schema.on(database.dataSource(), SchemaOptions.builder().dimensions(3072).build())
            .allowing(Hazard.LOSES_PRECISION);
    String beyond = "UPDATE consolidated_memories SET embedding[7] = %s WHERE id = 'm1'";
    Sql.run(database.dataSource(), beyond.formatted("65536"));
    assertThatExceptionOfType(ChangeRefusedException.class)
        .isThrownBy(many::convertEmbeddings)
        .satisfies(e -> assertThat(e.reasons()).containsExactly("memory m1"));
    Sql.run(database.dataSource(), beyond.formatted("65504"));

    assertThat(many.convertEmbeddings().rows()).isEqualTo(18);

    many.adopt();
    many.upgrade();
    assertThat(many.verify()).isEmpty();
    assertThat(
            Sql.rows(
                database.dataSource(),
                "SELECT vector_dims(embedding), (embedding::real[])[7:8]"
                    + " FROM consolidated_memories WHERE id IN ('m1', 'm9') ORDER BY id"))
        .containsExactly("3072 | {65504,1}", "3072 | {9,9}");
  }

  @Test
  void areConvertedBesideWritersAndGoneOnWithWhereAKillCutThatShort() throws Exception {
    Sql.run(database.dataSource(), TABLES + ROWS.formatted(1, 3000));
    AtomicBoolean done = new AtomicBoolean();
    ExecutorService pool = Executors.newSingleThreadExecutor();
    Schema brief = schema.withLockTimeout(Duration.ofMillis(500));
    try {
      Future<Long> writer = pool.submit(() -> write(done));
      assertThatExceptionOfType(SchemaException.class)
          .isThrownBy(() -> brief.withProgress(this::killAfterTwoBatches).convertEmbeddings());
      assertThat(
              Sql.rows(
                  database.dataSource(),
                  "SELECT pg_typeof(embedding)::text" + " FROM consolidated_memories LIMIT 1"))
          .containsExactly("double precision[]");
      ConversionResult next = brief.convertEmbeddings();
      assertThat(next.notes()).contains("Went on with a conversion that was cut short");
      assertThat(next.rows()).isBetween(1L, 2_700L);
      done.set(true);
      assertThat(Duration.ofNanos(writer.get(30, TimeUnit.SECONDS)))
          .as("the longest that a writer waited")
          .isLessThan(Duration.ofSeconds(3));
    } finally {
      pool.shutdownNow();
    }
    schema.adopt();
    assertThat(schema.verify()).isEmpty();
    assertThat(
            Sql.rows(
                database.dataSource(),
                "SELECT count(*) FROM consolidated_memories c FULL JOIN written w USING (id)"
                    + " WHERE w.embedding::vector(3) IS DISTINCT FROM c.embedding"
                    + " AND (w.id IS NOT NULL OR c.embedding IS NULL <> (right(c.id, 1) = '0'))"))
        .containsExactly("0");
  }

  private void killAfterTwoBatches(BuildProgress progress) {
    if (progress.done() == 1_000) {
      Sql.run(
          database.dataSource(),
          "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'"
              + " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())");
    }
  }

  /** Inserts and updates, and keeps a copy of what it wrote; tells the longest time of either. */
  private long write(AtomicBoolean done) throws Exception {
    Sql.run(
        database.dataSource(),
        "CREATE TABLE written (id varchar PRIMARY KEY, embedding double precision[])");
    long longest = 0;
    try (Connection connection = database.dataSource().getConnection()) {
      for (int i = 1; !done.get(); i++) {
        longest = Math.max(longest, time(connection, ROWS.formatted(10_000 + i, 10_000 + i)));
        String update =
            "UPDATE consolidated_memories SET embedding = ARRAY[%1$d, 1, 2] WHERE id = 'm%2$d'"
                .formatted(i, i % 3000 + 1);
        longest = Math.max(longest, time(connection, update));
        Sql.run(
            connection,
            """
            INSERT INTO written VALUES ('m%2$d', ARRAY[%1$d, 1, 2])
            ON CONFLICT (id) DO UPDATE SET embedding = excluded.embedding
            """
                .formatted(i, i % 3000 + 1));
      }
    }
    return longest;
  }

  private static long time(Connection connection, String sql) {
    long start = System.nanoTime();
    Sql.run(connection, sql);
    return System.nanoTime() - start;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      textBlock =
          """
          UPDATE consolidated_memories SET embedding = '{1,2}' WHERE id = 'm7' ; embeddings that are no vector(3) ; memory m7
          UPDATE consolidated_memories SET embedding = '{1,NULL,2}' WHERE id = 'm7' ; embeddings that are no vector(3) ; memory m7
          UPDATE consolidated_memories SET embedding = '{1,NaN,2}' WHERE id = 'm7' ; embeddings that are no vector(3) ; memory m7
          UPDATE consolidated_memories SET embedding = '{1,1e300,2}' WHERE id = 'm7' ; embeddings that are no vector(3) ; memory m7
          CREATE VIEW lengths AS SELECT cardinality(embedding) FROM consolidated_memories ; not the library's ; view public.lengths
          """)
  void areNotConvertedWhereSomethingWouldBeLost(String change, String why, String what) {
    Sql.run(database.dataSource(), TABLES + ROWS.formatted(1, 10) + ";" + change);
    String before = database.dumpSchema();
    assertThatExceptionOfType(ChangeRefusedException.class)
        .isThrownBy(schema::convertEmbeddings)
        .withMessageContaining(why)
        .satisfies(e -> assertThat(e.reasons()).containsExactly(what));
    assertThat(database.dumpSchema()).isEqualTo(before);
  }

  @Test
  void areNotConvertedWhileSomebodyIsInTheWayWhoIsNamedAtTheDeadline() throws Exception {
    Sql.run(database.dataSource(), TABLES + ROWS.formatted(1, 10));
    try (Connection busy = database.dataSource().getConnection()) {
      busy.setAutoCommit(false);
      Sql.run(busy, "SET application_name = 'the reader'");
      Sql.rows(busy, "SELECT count(*) FROM consolidated_memories");
      Schema hasty =
          schema.withLockTimeout(Duration.ofMillis(20)).withDeadline(Duration.ofMillis(100));
      assertThatExceptionOfType(SchemaBusyException.class)
          .isThrownBy(hasty::convertEmbeddings)
          .withMessageContaining("application the reader");
      busy.rollback();
      assertThat(hasty.convertEmbeddings().converted()).isTrue();
    }
  }

  @Test
  void tellTheLogHowTheyAreConvertedAndWhoIsInTheWayButNotWhatTheyWrite() throws Exception {
    Sql.run(database.dataSource(), TABLES + ROWS.formatted(1, 10));
    Schema converting =
        schema
            .withLockTimeout(Duration.ofMillis(50))
            .withProgress(
                progress -> {
                  throw new IllegalStateException("as the test wants");
                });
    ExecutorService pool = Executors.newSingleThreadExecutor();
    try (LogCapture log = LogCapture.start();
        Connection busy = database.dataSource().getConnection()) {
      busy.setAutoCommit(false);
      Sql.run(busy, "UPDATE consolidated_memories SET content = 'a secret'");
      Future<?> conversion = pool.submit(converting::convertEmbeddings);
      log.await(
          "INFO EmbeddingConverter - schema=public attempt=2 sqlState=55P03 Waiting for others: ");
      busy.rollback();
      conversion.get(60, TimeUnit.SECONDS);
      assertThat(log.text())
          .contains("INFO EmbeddingConverter - schema=public Converting embeddings")
          .contains("UPDATE consolidated_memories SET content = ")
          .doesNotContain("a secret")
          .contains("WARN EmbeddingConverter - schema=public The progress listener failed")
          .containsPattern(
              "INFO EmbeddingConverter - schema=public rows=9 elapsedMillis=\\d+ Converted");
    } finally {
      pool.shutdownNow();
    }
  }

  @Test
  void areAdoptedAlsoWhereTheHostsTableWasBefore() {
    schema.upgradeTo("task_memories_001");
    Sql.run(database.dataSource(), TABLES + VECTORS);
    assertThat(schema.adopt().applied()).containsExactly("consolidation_001");
    assertThat(schema.verify()).isEmpty();
    schema.upgrade();
    assertThat(schema.status().upToDate()).isTrue();
  }

  @Test
  void areIndexedWithTheMemoryAndTheWorkersThatAreAllowed() {
    Sql.run(database.dataSource(), TABLES + ROWS.formatted(1, 5000));
    Sql.run(
        database.dataSource(),
        "ALTER DATABASE " + database.name() + " SET maintenance_work_mem = '1MB'");
    RecordingDataSource recording = new RecordingDataSource(database.dataSource());
    ConversionResult result =
        Schema.on(recording.dataSource(), OPTIONS)
            .allowing(Hazard.LOSES_PRECISION)
            .withBuildMemory(2 << 20)
            .withBuildWorkers(1)
            .convertEmbeddings();
    assertThat(result.notes()).anyMatch(note -> note.contains("more than the 2 MB allowed"));
    assertThat(recording.statements())
        .anyMatch(
            sql ->
                sql.contains("'maintenance_work_mem', '2048kB'")
                    && sql.contains("'max_parallel_maintenance_workers', '1'"));
  }

  @Test
  void areNotGoneOnWithToAnotherTypeThanWasBegun() {
    Sql.run(database.dataSource(), TABLES + ROWS.formatted(1, 3000));
    String before = database.dumpSchema();
    assertThatExceptionOfType(SchemaException.class)
        .isThrownBy(() -> schema.withProgress(this::killAfterTwoBatches).convertEmbeddings());
    Schema halves =
        Schema.on(database.dataSource(), OPTIONS.toBuilder().vectorType(VectorType.HALFVEC).build())
            .allowing(Hazard.LOSES_PRECISION);
    String message =
        assertThatExceptionOfType(SchemaException.class)
            .isThrownBy(halves::convertEmbeddings)
            .withMessageContaining("A conversion to public.vector(3) was begun")
            .withMessageContaining("the options ask for halfvec(3)")
            .actual()
            .getMessage();
    Sql.run(database.dataSource(), message.substring(message.indexOf("DROP TRIGGER")));
    assertThat(database.dumpSchema()).isEqualTo(before);
    assertThat(halves.convertEmbeddings().converted()).isTrue();
  }

  /** What is no vector is committed by a transaction that was there before the trigger. */
  @Test
  void areNamedWhereOneThatIsNoVectorCameInBeforeTheTrigger() throws Exception {
    Sql.run(database.dataSource(), TABLES + ROWS.formatted(1, 10));
    ExecutorService pool = Executors.newSingleThreadExecutor();
    try (LogCapture log = LogCapture.start();
        Connection writer = database.dataSource().getConnection()) {
      writer.setAutoCommit(false);
      Sql.run(writer, "UPDATE consolidated_memories SET embedding = '{1,2}' WHERE id = 'm7'");
      Schema patient = schema.withLockTimeout(Duration.ofMillis(50));
      Future<?> conversion = pool.submit(patient::convertEmbeddings);
      log.await("Waiting for others: ");
      writer.commit();
      assertThat(conversion)
          .failsWithin(30, TimeUnit.SECONDS)
          .withThrowableOfType(java.util.concurrent.ExecutionException.class)
          .withCauseInstanceOf(ChangeRefusedException.class)
          .withMessageContaining("memory m7");
    } finally {
      pool.shutdownNow();
    }
    assertThatExceptionOfType(ChangeRefusedException.class)
        .isThrownBy(schema::convertEmbeddings)
        .satisfies(e -> assertThat(e.reasons()).containsExactly("memory m7"));
    Sql.run(
        database.dataSource(),
        "UPDATE consolidated_memories SET embedding = '{1,2,3}' WHERE id = 'm7'");
    assertThat(schema.convertEmbeddings().converted()).isTrue();
  }

  @Test
  void areNotTakenForIndexedByAnIndexOfThatNameThatIsAnother() {
    Sql.run(
        database.dataSource(),
        TABLES
            + ROWS.formatted(1, 10)
            + "; CREATE INDEX idx_cm_embedding ON consolidated_memories (consolidation_method)");
    assertThatExceptionOfType(SchemaException.class)
        .isThrownBy(schema::convertEmbeddings)
        .withMessageContaining("idx_cm_embedding\" is another than is to be built: CREATE INDEX");
    Sql.run(
        database.dataSource(),
        "DROP INDEX idx_cm_embedding; CREATE INDEX idx_cm_embedding ON consolidated_memories"
            + " USING hnsw (embedding vector_l2_ops)");
    assertThatExceptionOfType(SchemaException.class)
        .isThrownBy(schema::convertEmbeddings)
        .withMessageContaining("vector_l2_ops");
    Sql.run(database.dataSource(), "DROP INDEX idx_cm_embedding");
    schema.convertEmbeddings();
    schema.adopt();
    assertThat(schema.verify()).isEmpty();
  }
}
