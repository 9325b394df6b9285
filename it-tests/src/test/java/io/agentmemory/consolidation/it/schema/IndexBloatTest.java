package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.schema.Finding;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Which B-trees the check-up calls bloated, and which not. */
class IndexBloatTest {
  private static final SchemaOptions OPTIONS = SchemaOptions.builder().dimensions(384).build();
  private static final String BLOATED = "over three times what its rows need";

  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();
  private Schema schema;

  @BeforeEach
  void upgrade() {
    schema = Schema.on(database.dataSource(), OPTIONS);
    schema.upgrade();
    run("ALTER TABLE consolidation_jobs SET (autovacuum_enabled = false)");
    run("ALTER TABLE consolidated_memories SET (autovacuum_enabled = false)");
  }

  @Test
  void namesBTreesThatKeptThePagesOfDeletedRowsUntilTheyAreRebuilt() {
    insertJobs(40_000, "repeat(md5(i::text), 14)", "'p'");
    assertThat(kilobytes("consolidation_jobs_pkey")).isGreaterThan(20_000);
    assertThat(bloated()).isEmpty();

    run("DELETE FROM consolidation_jobs WHERE hashtext(id) % 6 <> 0");
    run("VACUUM ANALYZE consolidation_jobs");
    List<Finding> found = bloated();
    assertThat(found)
        .extracting(Finding::remedy)
        .contains(
            "REINDEX INDEX CONCURRENTLY public.consolidation_jobs_pkey",
            "REINDEX INDEX CONCURRENTLY public.idx_cj_project_created")
        .doesNotContain("REINDEX INDEX CONCURRENTLY public.idx_cj_created");

    found.forEach(finding -> run(finding.remedy()));
    assertThat(kilobytes("consolidation_jobs_pkey")).isLessThan(8_000);
    assertThat(bloated()).isEmpty();
  }

  @Test
  void namesNoneWhileTheRowsThatWereDeletedAreNotVacuumedAway() {
    insertJobs(40_000, "repeat(md5(i::text), 14)", "'p'");
    run("DELETE FROM consolidation_jobs WHERE hashtext(id) % 6 <> 0");
    run("SELECT pg_stat_force_next_flush()");
    run("ANALYZE consolidation_jobs");
    assertThat(bloated()).isEmpty();
    assertThat(schema.checkUp())
        .extracting(Finding::remedy)
        .contains("VACUUM public.consolidation_jobs");
  }

  @Test
  void namesNoneWithLongKeysThatAreStoredOnceForManyRows() {
    insertJobs(60_000, "i::text", "repeat(md5((i % 40)::text), 15)");
    assertThat(kilobytes("idx_cj_project_status")).isLessThan(60_000L * 480 / 1024 / 4);
    assertThat(bloated()).isEmpty();
  }

  @Test
  void namesNoneWithLongKeysOfWhichAFewAreEqual() {
    insertJobs(60_000, "i::text", "repeat(md5(floor(20000 * random() ^ 3)::text), 15)");
    assertThat(kilobytes("idx_cj_project_status")).isGreaterThan(8_000);
    assertThat(bloated()).isEmpty();
  }

  @Test
  void namesNoneThatGrewInManyPlacesAtOnce() {
    run(
        """
        CREATE FUNCTION pg_temp.many() RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
          FOR round IN 1..400 LOOP
            INSERT INTO consolidation_jobs (id, project_id, status, trigger_type, created_at)
            SELECT repeat('x', i % 90) || i || '.' || round, repeat('p', 300) || i, 'completed',
              'manual', '2026-01-01'::timestamptz + round * interval '1 minute'
            FROM generate_series(1, 150) i;
          END LOOP;
        END $$;
        SELECT pg_temp.many()
        """);
    run("VACUUM ANALYZE consolidation_jobs");
    assertThat(kilobytes("idx_cj_project_created")).isGreaterThan(20_000);
    assertThat(bloated()).isEmpty();
  }

  @Test
  void namesNoneWhereTheIndexHoldsWhatTheTableKeepsElsewhere() {
    run("DROP INDEX idx_cm_embedding_project; DROP INDEX idx_cm_embedding");
    run(
        """
        INSERT INTO consolidated_memories (id, project_id, content, memory_type, abstraction_level,
          source_memory_ids, embedding, created_at, updated_at, consolidated_at, source_count)
        SELECT md5(i::text), 'p' || i % 7, (SELECT string_agg(md5(i || '.' || j), ' ')
          FROM generate_series(1, 15) j), 'learning', 1, '{}', (SELECT array_agg(random())
          FROM generate_series(1, 384) WHERE i > 0)::vector, now(), now(), now(), 0
        FROM generate_series(1, 15000) i
        """);
    run("VACUUM ANALYZE consolidated_memories");
    assertThat(
            Sql.rows(
                database.dataSource(),
                """
                SELECT avg_width < 100 FROM pg_stats
                WHERE tablename = 'consolidated_memories' AND attname = 'embedding'
                """))
        .containsExactly("t");
    assertThat(kilobytes("idx_cm_project_cover")).isGreaterThan(20_000);
    assertThat(bloated()).isEmpty();
  }

  @Test
  void namesNoneInASmallTableWhateverIsEmpty() {
    insertJobs(10_000, "repeat(md5(i::text), 14)", "'p'");
    run("DELETE FROM consolidation_jobs WHERE hashtext(id) % 50 <> 0");
    run("VACUUM ANALYZE consolidation_jobs");
    assertThat(bloated()).isEmpty();
  }

  private void insertJobs(int rows, String id, String project) {
    run(
        """
        SELECT setseed(0.5);
        INSERT INTO consolidation_jobs (id, project_id, status, trigger_type, created_at)
        SELECT %s, %s, 'completed', 'manual', '2026-01-01'::timestamptz + i * interval '1 second'
        FROM generate_series(1, %d) i
        """
            .formatted(id, project, rows));
    run("VACUUM ANALYZE consolidation_jobs");
  }

  private List<Finding> bloated() {
    return schema.checkUp().stream().filter(finding -> finding.what().contains(BLOATED)).toList();
  }

  private long kilobytes(String index) {
    String size = "SELECT pg_relation_size('" + index + "') / 1024";
    return Long.parseLong(Sql.rows(database.dataSource(), size).get(0));
  }

  private void run(String sql) {
    Sql.run(database.dataSource(), sql);
  }
}
