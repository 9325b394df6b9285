package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import io.agentmemory.consolidation.schema.Difference;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VerifyTest {
  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      textBlock =
          """
          ALTER TABLE consolidated_memories ALTER tags TYPE text[] ; column tags type ; character varying(50)[] ; text[]
          ALTER TABLE consolidated_memories ALTER project_id DROP NOT NULL ; column project_id null ; not null ; null
          ALTER TABLE consolidation_jobs ALTER max_retries SET DEFAULT 4 ; column max_retries default ; 3 ; 4
          ALTER TABLE consolidation_jobs ALTER max_retries DROP DEFAULT ; column max_retries default ; 3 ; absent
          ALTER TABLE consolidation_jobs ALTER duration_seconds SET DEFAULT 1 ; column duration_seconds default ; absent ; 1
          ALTER TABLE task_memories ALTER consolidated_into_id SET DEFAULT 'x' ; column consolidated_into_id default ; absent ; 'x'::character varying
          ALTER TABLE consolidated_memories ALTER content_tsv DROP EXPRESSION ; column content_tsv default ; generated as to_tsvector('english'::regconfig, COALESCE(content, ''::text)) ; absent
          ALTER TABLE consolidation_jobs DROP CONSTRAINT consolidation_jobs_pkey; constraint consolidation_jobs_pkey ; PRIMARY KEY (id) ; absent
          ALTER TABLE consolidated_memories DROP CONSTRAINT consolidated_memories_abstraction_check, ADD CONSTRAINT consolidated_memories_abstraction_check CHECK (abstraction_level IN (1, 2)) ; constraint consolidated_memories_abstraction_check ; CHECK ((abstraction_level = ANY (ARRAY[1, 2, 3]))) ; CHECK ((abstraction_level = ANY (ARRAY[1, 2])))
          ALTER TABLE consolidated_memories ADD COLUMN mine integer NOT NULL ; column mine null ; absent ; not null
          DROP INDEX idx_cm_embedding | CREATE INDEX idx_cm_embedding ON consolidated_memories USING hnsw (embedding vector_l2_ops) WHERE embedding IS NOT NULL ; index idx_cm_embedding ; USING hnsw (embedding public.vector_cosine_ops) WHERE (embedding IS NOT NULL) ; USING hnsw (embedding public.vector_l2_ops) WHERE (embedding IS NOT NULL)
          DROP INDEX idx_cm_embedding | CREATE INDEX idx_cm_embedding ON consolidated_memories USING hnsw (embedding vector_cosine_ops) WITH (m = 8) WHERE embedding IS NOT NULL ; index idx_cm_embedding ; USING hnsw (embedding public.vector_cosine_ops) WHERE (embedding IS NOT NULL) ; USING hnsw (embedding public.vector_cosine_ops) WITH (m='8') WHERE (embedding IS NOT NULL)
          DROP INDEX idx_tm_consolidated | CREATE INDEX idx_tm_consolidated ON task_memories (is_consolidated) ; index idx_tm_consolidated ; USING btree (is_consolidated) WHERE (is_consolidated = true) ; USING btree (is_consolidated)
          DROP INDEX idx_cm_tags | CREATE INDEX idx_cm_tags ON consolidated_memories (tags) ; index idx_cm_tags ; USING gin (tags) ; USING btree (tags)
          UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_cm_type'::regclass ; index idx_cm_type state ; valid ; invalid
          """)
  void namesTheDifference(String drift, String path, String expected, String actual) {
    Schema schema = Schema.on(database.dataSource());
    schema.upgrade();
    Sql.run(database.dataSource(), drift.replace('|', ';'));
    assertThat(schema.verify())
        .filteredOn(difference -> difference.path().endsWith(" " + path))
        .singleElement()
        .satisfies(
            difference -> {
              assertThat(difference.expected()).isEqualTo(expected);
              assertThat(difference.actual()).isEqualTo(actual);
            });
  }

  @Test
  void namesWhatIsMissing() {
    Schema schema = Schema.on(database.dataSource());
    schema.upgrade();
    Sql.run(database.dataSource(), "DROP TABLE consolidation_jobs; DROP INDEX idx_cm_type");
    assertThat(schema.verify())
        .containsExactly(
            new Difference(
                "\"public\".\"consolidated_memories\" index idx_cm_type",
                "USING btree (memory_type)",
                "absent"),
            new Difference(
                "\"public\".\"consolidated_memories\" index idx_cm_type state", "valid", "absent"),
            new Difference("\"public\".\"consolidation_jobs\"", "a table", "absent"));
  }

  @Test
  void namesTheHistoryWhereNothingWasApplied() {
    assertThat(Schema.on(database.dataSource()).verify())
        .containsExactly(
            new Difference("\"public\".\"consolidation_history\"", "a table", "absent"));
  }

  @Test
  void mindsNoIndexThatSomebodyAddedAndNoColumnOfTheHosts() {
    Sql.run(database.dataSource(), "CREATE TABLE task_memories (id text PRIMARY KEY, a integer)");
    Schema schema = Schema.on(database.dataSource());
    schema.upgrade();
    Sql.run(
        database.dataSource(),
        "CREATE INDEX mine ON consolidated_memories (project_id, id);"
            + " ALTER TABLE task_memories ADD COLUMN b integer NOT NULL DEFAULT 3 CHECK (b > 0)");
    assertThat(schema.verify()).isEmpty();
  }

  @Test
  void raisesNoFalseAlarmAfterADumpAndRestoreUnderAnOddName() {
    SchemaOptions options =
        SchemaOptions.builder().schema("USING \"odd\" ON ").dimensions(3072).build();
    Schema.on(database.dataSource(), options).upgrade();
    String dump = database.dumpSchema();
    String data =
        database
            .get()
            .server()
            .client(
                database.name(),
                "pg_dump",
                "--data-only",
                "--inserts",
                "--table=*.consolidation_history");
    try (ScratchDatabase copy = database.get().server().freshDatabase("restored")) {
      copy.server()
          .client(copy.name(), "psql", "--no-psqlrc", "--quiet", "--command=" + plain(dump));
      copy.server()
          .client(copy.name(), "psql", "--no-psqlrc", "--quiet", "--command=" + plain(data));
      Schema restored = Schema.on(copy.dataSource(), options);
      assertThat(restored.verify()).isEmpty();
      assertThat(restored.upgrade().applied()).isEmpty();
    }
  }

  /** Without the commands of psql, which it takes from files alone. */
  private static String plain(String dump) {
    return dump.replaceAll("(?m)^\\\\.*$", "");
  }

  @Test
  void leavesNothingBehind() {
    Schema schema = Schema.on(database.dataSource());
    schema.upgrade();
    String before = database.dumpSchema();
    schema.verify();
    assertThat(database.dumpSchema()).isEqualTo(before);
  }
}
