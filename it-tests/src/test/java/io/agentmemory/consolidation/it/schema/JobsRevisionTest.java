package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaMismatchException;
import io.agentmemory.consolidation.schema.SchemaOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The revision consolidation_004. */
class JobsRevisionTest {
  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();

  @Test
  void addsWhatJobsNeedAndNothingElse() {
    Schema schema = Schema.on(database.dataSource());
    schema.upgradeTo("consolidation_002");
    String before = database.dumpSchema();
    assertThat(schema.upgradeTo("consolidation_004").applied()).endsWith("consolidation_004");
    assertThat(
            Sql.rows(
                database.dataSource(),
                """
                SELECT attname || ' ' || format_type(atttypid, atttypmod) || ' '
                  || CASE WHEN attnotnull THEN 'not null' ELSE 'null' END
                FROM pg_attribute
                WHERE attrelid = 'consolidation_jobs'::regclass
                  AND attname IN ('heartbeat_at', 'run_after')
                ORDER BY attname
                """))
        .containsExactly(
            "heartbeat_at timestamp with time zone null",
            "run_after timestamp with time zone null");
    assertThat(
            Sql.rows(
                database.dataSource(),
                """
                SELECT pg_get_indexdef(indexrelid) FROM pg_index
                WHERE indexrelid::regclass::text IN ('idx_cj_pending', 'idx_cj_running')
                ORDER BY indexrelid::regclass::text
                """))
        .containsExactly(
            "CREATE INDEX idx_cj_pending ON public.consolidation_jobs USING btree (project_id,"
                + " COALESCE(run_after, created_at), id) WHERE ((status)::text = 'pending'::text)",
            "CREATE INDEX idx_cj_running ON public.consolidation_jobs USING btree (project_id)"
                + " WHERE ((status)::text = 'running'::text)");
    assertThat(schema.verify()).isEmpty();
    assertThat(schema.downgradeTo("consolidation_002").undone()).startsWith("consolidation_004");
    assertThat(database.dumpSchema()).isEqualTo(before);
  }

  @Test
  void isSeenByADaoThatRefusedToWorkWithoutIt() {
    Schema schema = Schema.on(database.dataSource());
    schema.upgradeTo("consolidation_002");
    Consolidation consolidation = Consolidation.on(database.dataSource(), SchemaOptions.defaults());
    assertThatThrownBy(() -> consolidation.jobs().find("p", "j"))
        .isInstanceOf(SchemaMismatchException.class)
        .hasMessageContaining("consolidation_004");
    schema.upgrade();
    assertThat(consolidation.jobs().find("p", "j")).isEmpty();
  }
}
