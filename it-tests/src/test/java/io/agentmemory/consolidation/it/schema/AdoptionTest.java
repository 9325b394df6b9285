package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.ddl.QualifiedName;
import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.schema.ChangeRefusedException;
import io.agentmemory.consolidation.schema.HostTable;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaException;
import io.agentmemory.consolidation.schema.SchemaOptions;
import io.agentmemory.consolidation.schema.SchemaSqlException;
import io.agentmemory.consolidation.schema.UpgradeResult;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AdoptionTest {
  private static final String HOST =
      """
      CREATE SCHEMA app;
      CREATE TABLE app.tasks (id text PRIMARY KEY, project_id text NOT NULL);
      CREATE TABLE app.task_memories (
        id text PRIMARY KEY,
        task_id text NOT NULL REFERENCES app.tasks,
        execution_summary text,
        mood integer DEFAULT 7 CHECK (mood > 0),
        context_embedding double precision[],
        success boolean,
        learned_at timestamptz DEFAULT now());
      CREATE INDEX by_mood ON app.task_memories (mood);
      INSERT INTO app.tasks SELECT 't' || i, 'p' || i % 3 FROM generate_series(1, 9) i;
      INSERT INTO app.task_memories (id, task_id, execution_summary, context_embedding, success)
        SELECT 'm' || i, 't' || (1 + i % 9), 'did ' || i, ARRAY[i, 1, 0], i % 2 = 0
        FROM generate_series(1, 500) i;
      """;

  private static final HostTable MAPPING =
      HostTable.existing(new QualifiedName("app", "task_memories"))
          .withProject("(select t.project_id from app.tasks t where t.id = task_memories.task_id)")
          .withText("execution_summary")
          .withEmbedding("context_embedding")
          .withSuccess("success")
          .withTime("learned_at");

  private static final SchemaOptions OPTIONS =
      SchemaOptions.builder().dimensions(3).hostTable(MAPPING).build();

  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();

  @BeforeEach
  void createTheExtension() {
    Sql.run(database.dataSource(), "CREATE EXTENSION vector WITH SCHEMA public");
  }

  @Test
  void keepsTheHostsRowsColumnsAndDumpOnTheWayUpAndDown() {
    Sql.run(database.dataSource(), HOST);
    String before = database.get().server().client(database.name(), "pg_dump", "--data-only");
    String schemaBefore = database.dumpSchema();
    Schema ours = Schema.on(database.dataSource(), OPTIONS);

    UpgradeResult up = ours.upgrade();

    assertThat(up.notes()).containsExactly("Adopted the host's table \"app\".\"task_memories\"");
    assertThat(ours.status().hostTableAdopted()).isTrue();
    assertThat(ours.verify()).isEmpty();
    assertThat(
            Sql.rows(
                database.dataSource(),
                "SELECT count(*), count(mood), count(*) FILTER (WHERE NOT is_consolidated),"
                    + " count(consolidated_into_id) FROM app.task_memories"))
        .containsExactly("500 | 500 | 500 | 0");

    ours.downgradeToNothing();
    assertThat(database.dumpSchema()).isEqualTo(schemaBefore);
    assertThat(
            withoutKey(database.get().server().client(database.name(), "pg_dump", "--data-only")))
        .isEqualTo(withoutKey(before));
  }

  private static String withoutKey(String dump) {
    return dump.replaceAll("(?m)^\\\\(un)?restrict .*$", "");
  }

  @Test
  void readsTheProjectThroughAnotherTableAndTheEmbeddingFromNumbers() {
    Sql.run(database.dataSource(), HOST);
    Schema.on(database.dataSource(), OPTIONS).upgrade();
    assertThat(
            Sql.rows(
                database.dataSource(),
                "SELECT (%s)::text, (%s)::vector(3) FROM app.task_memories WHERE id = 'm1'"
                    .formatted(MAPPING.project(), MAPPING.embedding())))
        .containsExactly("p2 | [1,1,0]");
  }

  @Test
  void refusesAMappingThatDoesNotWorkAndChangesNothing() {
    Sql.run(database.dataSource(), HOST);
    String before = database.dumpSchema();
    SchemaOptions wrong = OPTIONS.toBuilder().hostTable(MAPPING.withProject("project")).build();
    assertThatExceptionOfType(SchemaSqlException.class)
        .isThrownBy(() -> Schema.on(database.dataSource(), wrong).upgrade())
        .withMessageContaining("try the mapping of the host's table failed with SQLSTATE 42703")
        .withMessageContaining("SELECT (project\n)::text");
    assertThat(database.dumpSchema()).isEqualTo(before);
  }

  @Test
  void readsTheMappingUnderTheApplicationsSearchPath() {
    Sql.run(database.dataSource(), HOST);
    Sql.run(
        database.dataSource(),
        "ALTER DATABASE " + database.name() + " SET search_path = app, public");
    String unqualified = "(select t.project_id from tasks t where t.id = task_memories.task_id)";
    SchemaOptions options = OPTIONS.toBuilder().hostTable(MAPPING.withProject(unqualified)).build();
    assertThat(Schema.on(database.dataSource(), options).upgrade().warnings())
        .noneMatch(warning -> warning.contains("mapping"));
  }

  @Test
  void warnsWhereTheDefaultMappingDoesNotFitAnAdoptedTable() {
    Sql.run(
        database.dataSource(), "CREATE TABLE task_memories (id varchar PRIMARY KEY, said text)");
    UpgradeResult up = Schema.on(database.dataSource()).upgrade();
    assertThat(up.applied()).contains("consolidation_001");
    assertThat(up.warnings())
        .anyMatch(warning -> warning.contains("in which project_id does not work on it"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      textBlock =
          """
          CREATE TABLE task_memories (id text)                           ; it has no primary key
          CREATE TABLE task_memories (id text, b text, PRIMARY KEY (id, b)) ; its primary key has several columns
          CREATE TABLE task_memories (key text PRIMARY KEY, id text)     ; its primary key is the column key
          CREATE TABLE task_memories (id uuid PRIMARY KEY)               ; its primary key is of the type uuid
          CREATE VIEW task_memories AS SELECT 'a'::text AS id            ; it is no table
          """)
  void refusesATableThatCannotBeAdoptedAndSaysWhy(String table, String why) {
    Sql.run(database.dataSource(), table);
    String before = database.dumpSchema();
    assertThatExceptionOfType(SchemaException.class)
        .isThrownBy(() -> Schema.on(database.dataSource()).upgrade())
        .withMessage(
            "The host's table \"public\".\"task_memories\" cannot be adopted; it needs the primary"
                + " key id, one column of a text type, but "
                + why);
    assertThat(database.dumpSchema()).isEqualTo(before);
  }

  @Test
  void refusesAProjectColumnThatNoIndexCanHoldAndTakesItAsAnExpression() {
    Sql.run(
        database.dataSource(),
        """
        CREATE SCHEMA app;
        CREATE TYPE app.tenant AS ENUM ('a', 'b');
        CREATE TABLE app.task_memories (id text PRIMARY KEY, project app.tenant);
        """);
    String before = database.dumpSchema();
    HostTable host = HostTable.existing(new QualifiedName("app", "task_memories"));
    SchemaOptions column = OPTIONS.toBuilder().hostTable(host.withProject("project")).build();
    assertThatExceptionOfType(SchemaException.class)
        .isThrownBy(() -> Schema.on(database.dataSource(), column).upgrade())
        .withMessageContaining("is the column project of type app.tenant, which no index can hold")
        .withMessageContaining("HostTable.withProject(\"(project)::text\")");
    assertThat(database.dumpSchema()).isEqualTo(before);
    SchemaOptions expression =
        OPTIONS.toBuilder().hostTable(host.withProject("(project)::text")).build();
    Schema schema = Schema.on(database.dataSource(), expression);
    assertThat(schema.upgrade().applied()).contains("consolidation_003");
    assertThat(schema.verify()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"uuid", "integer", "varchar(20)"})
  void takesAProjectColumnOfTheType(String type) {
    Sql.run(
        database.dataSource(),
        "CREATE SCHEMA app; CREATE TABLE app.task_memories (id text PRIMARY KEY, \"Project\" "
            + type
            + ")");
    HostTable host =
        HostTable.existing(new QualifiedName("app", "task_memories")).withProject("\"Project\"");
    Schema schema = Schema.on(database.dataSource(), OPTIONS.toBuilder().hostTable(host).build());
    schema.upgrade();
    assertThat(schema.verify()).isEmpty();
    Sql.run(
        database.dataSource(),
        "DROP INDEX app.idx_tm_unconsolidated;"
            + " CREATE INDEX idx_tm_unconsolidated ON app.task_memories (id)");
    assertThat(schema.verify())
        .singleElement()
        .satisfies(
            difference -> {
              assertThat(difference.path()).endsWith(" index idx_tm_unconsolidated");
              assertThat(difference.expected())
                  .contains("USING btree (((\"Project\")::text), id) WHERE");
              assertThat(difference.actual()).isEqualTo("USING btree (id)");
            });
  }

  @Test
  void neverDropsWhatWasAdoptedEvenWhenDataMayGo() {
    Sql.run(database.dataSource(), HOST);
    Schema ours = Schema.on(database.dataSource(), OPTIONS);
    ours.upgrade();
    Sql.run(database.dataSource(), "UPDATE app.task_memories SET is_consolidated = true");
    ours.allowing(Hazard.DELETES_DATA).downgradeToNothing();
    assertThat(Sql.rows(database.dataSource(), "SELECT count(*) FROM app.task_memories"))
        .containsExactly("500");
  }

  @Test
  void takesATableWithPoliciesOfTheHostsThatHoldForItsOwner() {
    try (OwnerRole owner = new OwnerRole(database)) {
      Sql.run(owner.dataSource(), HOST);
      Sql.run(
          owner.dataSource(),
          """
          ALTER TABLE app.task_memories ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
          ALTER TABLE app.tasks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
          """);
      String before = database.dumpSchema();
      Schema ours = Schema.on(owner.dataSource(), OPTIONS);
      assertThat(ours.upgrade().warnings()).noneMatch(warning -> warning.contains("mapping"));
      assertThat(ours.verify()).isEmpty();
      Sql.run(database.dataSource(), "UPDATE app.task_memories SET is_consolidated = true");
      assertThatExceptionOfType(ChangeRefusedException.class)
          .isThrownBy(ours::downgradeToNothing)
          .withMessageContaining("has values in consolidated_into_id or is_consolidated");
      Sql.run(database.dataSource(), "UPDATE app.task_memories SET is_consolidated = false");
      ours.downgradeToNothing();
      assertThat(database.dumpSchema()).isEqualTo(before);
    }
  }

  @Test
  void takesAPartitionedTable() {
    Sql.run(
        database.dataSource(),
        """
        CREATE TABLE task_memories (id text PRIMARY KEY, project_id text) PARTITION BY HASH (id);
        CREATE TABLE task_memories_0 PARTITION OF task_memories
          FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE task_memories_1 PARTITION OF task_memories
          FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        """);
    String before = database.dumpSchema();
    Schema ours = Schema.on(database.dataSource());
    ours.upgrade();
    assertThat(ours.verify()).isEmpty();
    String upgraded = database.dumpSchema("--exclude-table=consolidation_history");
    Sql.run(database.dataSource(), "DROP TABLE consolidation_history");
    assertThat(ours.adopt().applied()).endsWith("consolidation_004");
    assertThat(database.dumpSchema("--exclude-table=consolidation_history")).isEqualTo(upgraded);
    Sql.run(
        database.dataSource(),
        "DROP INDEX idx_tm_unconsolidated; CREATE INDEX idx_tm_unconsolidated ON task_memories (id)");
    assertThat(ours.verify())
        .singleElement()
        .satisfies(difference -> assertThat(difference.actual()).isEqualTo("USING btree (id)"));
    ours.downgradeToNothing();
    assertThat(database.dumpSchema()).isEqualTo(before);
  }
}
