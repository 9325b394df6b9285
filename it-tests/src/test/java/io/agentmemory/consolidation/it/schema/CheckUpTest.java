package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.schema.Finding;
import io.agentmemory.consolidation.schema.Schema;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CheckUpTest {
  private static final String ROWS =
      """
      INSERT INTO consolidation_jobs (id, project_id, status, trigger_type, created_at)
      SELECT i::text, 'p', 'completed', 'manual', now() FROM generate_series(1, 20000) i;
      """;

  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();
  private Schema schema;

  @BeforeEach
  void upgrade() {
    schema = Schema.on(database.dataSource());
    schema.upgrade();
    pretendVersion("0.8.4");
  }

  private void pretendVersion(String version) {
    Sql.run(
        database.dataSource(),
        "UPDATE pg_extension SET extversion = '" + version + "' WHERE extname = 'vector'");
  }

  /** Without the note of a newer pgvector, which depends on the server. */
  private String found() {
    return schema.checkUp().stream()
        .map(Finding::toString)
        .filter(finding -> !finding.contains(", the server has "))
        .reduce("", (all, finding) -> all + finding + "\n");
  }

  @Test
  void findsNothingInAHealthyDatabaseAndChangesNothing() {
    String before = database.dumpSchema();
    assertThat(found()).isEmpty();
    assertThat(database.dumpSchema()).isEqualTo(before);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      textBlock =
          """
          0.7.4 ; ERROR: pgvector 0.7.4 is older than this library needs
          0.8.3 ; WARNING: pgvector 0.8.3 has known faults: HNSW indexes can be corrupted
          """)
  void knowsTheFaultsOfThe(String version, String finding) {
    pretendVersion(version);
    assertThat(found()).contains(finding).contains("ALTER EXTENSION vector UPDATE");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      textBlock =
          """
          UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_cm_type'::regclass ; ERROR: The index public.idx_cm_type is invalid ; REINDEX INDEX CONCURRENTLY public.idx_cm_type
          CREATE INDEX idx_cm_type_ccnew1 ON consolidated_memories (memory_type) | UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_cm_type_ccnew1'::regclass ; ERROR: The index public.idx_cm_type_ccnew1 is invalid ; Remedy: DROP INDEX CONCURRENTLY public.idx_cm_type_ccnew1
          ALTER DATABASE {db} SET enable_indexscan = off ; enable_indexscan is off (set by: database) ; SET enable_indexscan = on
          ALTER DATABASE {db} SET gin_pending_list_limit = 1048576 ; gin_pending_list_limit is 1048576 kB ; default, 4MB
          ALTER DATABASE {db} SET work_mem = '1MB' ; WARNING: work_mem is 1024 kB: a search over an HNSW index ends ; 4MB, or more
          ALTER DATABASE {db} SET hnsw.ef_search = 5 ; hnsw.ef_search=5 is set for the database ; RESET hnsw.ef_search
          ALTER TABLE consolidated_memories SET (autovacuum_enabled = false) ; Autovacuum is off for public.consolidated_memories ; RESET (autovacuum_enabled)
          DROP TABLE consolidation_jobs ; ERROR: The table "public"."consolidation_jobs" is not there ; upgrade()
          """)
  void namesWhatIsWrongAndTheRemedy(String change, String what, String remedy) {
    Sql.run(
        database.dataSource(),
        change.replace('|', ';').replace("{db}", '"' + database.name() + '"'));
    assertThat(found()).contains(what).contains(remedy);
  }

  @Test
  void namesTablesWithoutStatisticsUntilTheyAreVacuumedAndAnalysed() {
    Sql.run(
        database.dataSource(),
        "ALTER TABLE consolidation_jobs SET (autovacuum_enabled = false);" + ROWS);
    Sql.run(database.dataSource(), "SELECT pg_stat_force_next_flush()");
    Sql.run(
        database.dataSource(),
        "UPDATE pg_class SET reltuples = 20000 WHERE oid = 'consolidation_jobs'::regclass");
    assertThat(found())
        .contains("Remedy: ANALYZE public.consolidation_jobs")
        .contains("Remedy: VACUUM public.consolidation_jobs");
    Sql.run(database.dataSource(), "VACUUM ANALYZE consolidation_jobs");
    Sql.run(database.dataSource(), "SELECT pg_stat_clear_snapshot()");
    assertThat(found()).contains("Autovacuum is off").doesNotContain("never");
  }

  @Test
  void namesAnIndexOfVectorsThatIsFarLargerThanItsRowsNeed() {
    String fill =
        """
        INSERT INTO consolidated_memories (id, project_id, content, memory_type, abstraction_level,
          source_memory_ids, embedding, created_at, updated_at, consolidated_at, source_count)
        SELECT i::text, 'p', 'm', 'learning', 1, '{}', (SELECT array_agg(random())
          FROM generate_series(1, 1536) WHERE i > 0)::vector, now(), now(), now(), 0
        FROM generate_series(1, 9000) i;
        """;
    Sql.run(
        database.dataSource(),
        "DROP INDEX idx_cm_embedding_project; DROP INDEX idx_cm_embedding;"
            + fill
            + "CREATE INDEX idx_cm_embedding ON consolidated_memories USING hnsw"
            + " (embedding vector_cosine_ops) WITH (m = 4, ef_construction = 8);");
    Sql.run(database.dataSource(), "VACUUM ANALYZE consolidated_memories");
    assertThat(found()).doesNotContain("than its rows need", "what its rows need");
    Sql.run(
        database.dataSource(),
        "DELETE FROM consolidated_memories WHERE id::integer > 1000;"
            + "UPDATE pg_class SET reltuples = 1000 WHERE oid = 'idx_cm_embedding'::regclass;"
            + "SELECT pg_stat_force_next_flush()");
    assertThat(found())
        .contains("The index public.idx_cm_embedding takes ", "over three times what its rows need")
        .contains("REINDEX INDEX CONCURRENTLY public.idx_cm_embedding");
  }

  @Test
  void namesAPendingListThatEverySearchReadsWherePgstattupleIsThere() {
    Sql.run(
        database.dataSource(),
        """
        CREATE EXTENSION pgstattuple;
        ALTER INDEX idx_cm_tags SET (gin_pending_list_limit = 65536);
        ALTER TABLE consolidated_memories SET (autovacuum_enabled = false);
        INSERT INTO consolidated_memories (id, project_id, content, memory_type, abstraction_level,
          source_memory_ids, tags, created_at, updated_at, consolidated_at, source_count)
        SELECT i::text, 'p', 'm', 'learning', 1, '{}', (SELECT array_agg('t' || i || '.' || j)
          FROM generate_series(1, 20) j), now(), now(), now(), 0
        FROM generate_series(1, 9000) i
        """);
    assertThat(found())
        .contains("kB written to public.idx_cm_tags are in no order yet")
        .contains("SELECT gin_clean_pending_list('public.idx_cm_tags')");
    Sql.rows(database.dataSource(), "SELECT gin_clean_pending_list('idx_cm_tags')");
    assertThat(found()).doesNotContain("in no order yet");
  }

  @Test
  void namesMemoryThatIsTooSmallForTheGraph() {
    Sql.run(
        database.dataSource(),
        "UPDATE pg_class SET reltuples = 1000000 WHERE oid = 'consolidated_memories'::regclass");
    assertThat(found())
        .contains("The HNSW graph of 1000000 embeddings takes about 6942MB")
        .contains("SET maintenance_work_mem = '6942MB' before a REINDEX");
  }

  @Test
  void namesAMissingExtensionAndSchema() {
    schema.downgradeToNothing();
    Sql.run(database.dataSource(), "DROP EXTENSION vector");
    assertThat(found())
        .contains("CREATE EXTENSION vector WITH SCHEMA public")
        .contains("ERROR: The table \"public\".\"consolidated_memories\" is not there");
  }
}
