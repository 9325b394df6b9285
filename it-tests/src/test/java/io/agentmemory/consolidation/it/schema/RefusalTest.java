package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.schema.ChangeRefusedException;
import io.agentmemory.consolidation.schema.HostTable;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaMismatchException;
import io.agentmemory.consolidation.schema.SchemaOptions;
import io.agentmemory.consolidation.schema.SchemaSqlException;
import io.agentmemory.consolidation.schema.SchemaState;
import java.sql.Connection;
import java.sql.SQLException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is refused: data that would go, objects that would go along, options that do not fit. */
class RefusalTest {
  private static final String MEMORY =
      "INSERT INTO consolidated_memories VALUES ('c', 'p', 'text', 'learning', 1, NULL, NULL, '{}',"
          + " NULL, NULL, NULL, now(), now(), now(), 0)";
  private static final String JOB =
      "INSERT INTO consolidation_jobs (id, project_id, status, trigger_type, created_at) VALUES"
          + " ('j', 'p', 'pending', 'manual', now())";
  private static final String TASK_MEMORY =
      "INSERT INTO task_memories (id, project_id, task_id, execution_summary, success) VALUES"
          + " ('t', 'p', 't', 's', true)";

  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();

  @BeforeEach
  void upgrade() {
    Schema.on(database.dataSource()).upgradeTo("consolidation_001");
  }

  private Schema schema() {
    return Schema.on(database.dataSource());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        MEMORY + "; table \"public\".\"consolidated_memories\" has rows",
        JOB + "; table \"public\".\"consolidation_jobs\" has rows",
      })
  void refusesToDropRows(String insert, String reason) {
    Sql.run(database.dataSource(), insert);
    refusesDowngrade(reason);
    assertThat(schema().allowing(Hazard.DELETES_DATA).downgrade().undone()).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"is_consolidated = true", "consolidated_into_id = 'c'"})
  void refusesToDropValuesInTheAddedColumns(String set) {
    Sql.run(database.dataSource(), TASK_MEMORY);
    assertThat(schema().downgrade().undone()).containsExactly("consolidation_001");
    schema().upgradeTo("consolidation_001");
    Sql.run(database.dataSource(), "UPDATE task_memories SET " + set);
    refusesDowngrade(
        "table \"public\".\"task_memories\" has values in consolidated_into_id or is_consolidated");
    assertThat(schema().allowing(Hazard.DELETES_DATA).downgrade().undone()).hasSize(1);
    assertThat(Sql.rows(database.dataSource(), "SELECT id FROM task_memories"))
        .containsExactly("t");
  }

  @Test
  void refusesToDropTheRowsOfACreatedHostTable() {
    Sql.run(database.dataSource(), TASK_MEMORY);
    assertThatExceptionOfType(ChangeRefusedException.class)
        .isThrownBy(() -> schema().downgradeToNothing())
        .satisfies(
            e ->
                assertThat(e.reasons())
                    .containsExactly("table \"public\".\"task_memories\" has rows"));
  }

  @Test
  void refusesAHostTableInASchemaThatIsNotThereAndChangesNothing() {
    schema().downgradeToNothing();
    String before = database.dumpSchema();
    HostTable elsewhere = HostTable.created("nowhere");
    SchemaOptions options = SchemaOptions.builder().hostTable(elsewhere).build();
    assertThatExceptionOfType(SchemaSqlException.class)
        .isThrownBy(() -> Schema.on(database.dataSource(), options).upgrade())
        .withMessageContaining("schema \"nowhere\" does not exist")
        .withMessageContaining("make that one yourself");
    assertThat(database.dumpSchema()).isEqualTo(before);
  }

  @Test
  void findsDataBehindARowLevelPolicy() {
    Sql.run(database.dataSource(), MEMORY);
    Sql.run(
        database.dataSource(),
        """
        ALTER TABLE consolidated_memories ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY
        """);
    refusesDowngrade("table \"public\".\"consolidated_memories\" has rows");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      textBlock =
          """
          CREATE VIEW v AS SELECT id FROM consolidated_memories                       ; view public.v
          CREATE MATERIALIZED VIEW v AS SELECT is_consolidated FROM task_memories     ; materialized view public.v
          CREATE INDEX mine ON task_memories (is_consolidated, project_id)            ; index public.mine
          CREATE INDEX mine ON consolidation_jobs (status)                            ; index public.mine
          ALTER TABLE task_memories ADD CONSTRAINT mine CHECK (is_consolidated OR goal <> '') ; constraint mine on table public.task_memories
          ALTER TABLE consolidation_jobs ADD COLUMN mine text                         ; column mine of table public.consolidation_jobs
          CREATE TABLE r (id varchar REFERENCES consolidated_memories)                ; constraint r_id_fkey on table public.r
          CREATE FUNCTION f() RETURNS SETOF consolidation_jobs LANGUAGE sql AS 'SELECT * FROM public.consolidation_jobs' ; function public.f()
          CREATE STATISTICS s ON is_consolidated, goal FROM task_memories             ; statistics object public.s
          CREATE POLICY p ON consolidated_memories USING (true)                       ; policy p on table public.consolidated_memories
          CREATE TRIGGER t BEFORE UPDATE ON consolidation_jobs FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger() ; trigger t on table public.consolidation_jobs
          ALTER TABLE task_memories ADD COLUMN g boolean GENERATED ALWAYS AS (NOT is_consolidated) STORED ; default value for column g of table public.task_memories
          CREATE PUBLICATION p FOR TABLE consolidation_jobs                           ; publication of table public.consolidation_jobs in publication p
          """)
  void refusesToTakeForeignObjectsAlongEvenWhenDataMayGo(String create, String object) {
    Sql.run(database.dataSource(), create);
    String before = database.dumpSchema();
    assertThatExceptionOfType(ChangeRefusedException.class)
        .isThrownBy(() -> schema().allowing(Hazard.DELETES_DATA).downgrade())
        .satisfies(e -> assertThat(e.reasons()).containsExactly(object))
        .withMessageContaining("not the library's and would go along");
    assertThat(database.dumpSchema()).isEqualTo(before);
  }

  private void refusesDowngrade(String reason) {
    String before = database.dumpSchema();
    assertThatExceptionOfType(ChangeRefusedException.class)
        .isThrownBy(() -> schema().downgrade())
        .satisfies(e -> assertThat(e.reasons()).containsExactly(reason))
        .withMessageContaining("allow it by Hazard.DELETES_DATA");
    assertThat(database.dumpSchema()).isEqualTo(before);
  }

  @Test
  void refusesOtherOptionsThanThoseRecordedAndNamesTheDifference() throws SQLException {
    SchemaOptions other = SchemaOptions.builder().dimensions(384).build();
    Schema schema = Schema.on(database.dataSource(), other);
    String difference = "dimensions: recorded 1536, given 384";
    assertThatExceptionOfType(SchemaMismatchException.class)
        .isThrownBy(schema::upgrade)
        .satisfies(e -> assertThat(e.differences()).containsExactly(difference));
    assertThatExceptionOfType(SchemaMismatchException.class).isThrownBy(schema::downgrade);
    assertThatExceptionOfType(SchemaMismatchException.class).isThrownBy(schema::verify);
    try (Connection connection = database.dataSource().getConnection()) {
      assertThatExceptionOfType(SchemaMismatchException.class)
          .isThrownBy(() -> Schema.inspect(connection, other))
          .satisfies(e -> assertThat(e.differences()).containsExactly(difference));
    }
  }

  @Test
  void refusesAnotherMappingThanThatRecorded() {
    SchemaOptions other =
        SchemaOptions.builder().hostTable(HostTable.created("public").withText("goal")).build();
    assertThatExceptionOfType(SchemaMismatchException.class)
        .isThrownBy(() -> Schema.on(database.dataSource(), other).upgrade())
        .withMessageContaining("host table's text: recorded execution_summary, given goal");
  }

  @Test
  void namesStatementSqlStateAndRevisionWhereTheServerRefuses() {
    schema().downgradeToNothing();
    Sql.run(database.dataSource(), "CREATE TABLE consolidation_jobs (id text)");
    String before = database.dumpSchema();
    assertThatExceptionOfType(SchemaSqlException.class)
        .isThrownBy(() -> schema().upgrade())
        .satisfies(
            e -> {
              assertThat(e.revision()).isEqualTo("consolidation_001");
              assertThat(e.sqlState()).isEqualTo("42P07");
              assertThat(e.statement())
                  .startsWith("CREATE TABLE \"public\".\"consolidation_jobs\"");
            })
        .withMessageContaining(
            "Revision consolidation_001: create table consolidation_jobs failed with SQLSTATE"
                + " 42P07")
        .withMessageContaining("was made by somebody else");
    assertThat(database.dumpSchema()).isEqualTo(before);
  }

  @Test
  void inspectsWhatIsThereWithOneQuery() throws SQLException {
    RecordingDataSource recording = new RecordingDataSource(database.dataSource());
    try (Connection connection = recording.dataSource().getConnection()) {
      SchemaState state = Schema.inspect(connection, SchemaOptions.defaults());
      assertThat(state.revisions())
          .containsExactlyInAnyOrder("task_memories_001", "consolidation_001");
      assertThat(state.extensionSchema()).isEqualTo("public");
      assertThat(state.serverVersionNum()).isGreaterThan(140000);
    }
    assertThat(recording.statements()).hasSize(1);
  }

  @Test
  void inspectsAMissingSchemaWithoutPoisoningTheTransaction() throws SQLException {
    schema().downgradeToNothing();
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      connection.setReadOnly(true);
      assertThatExceptionOfType(SchemaMismatchException.class)
          .isThrownBy(() -> Schema.inspect(connection, SchemaOptions.defaults()))
          .withMessageContaining("Run Schema.on(dataSource, options).upgrade()");
      assertThat(Sql.rows(connection, "SELECT 1")).containsExactly("1");
    }
  }

  @Test
  void inspectsUnderAHostileSearchPath() throws SQLException {
    Sql.run(
        database.dataSource(),
        """
        CREATE SCHEMA evil;
        CREATE FUNCTION evil.to_regclass(text) RETURNS regclass LANGUAGE sql AS 'SELECT NULL::regclass';
        CREATE FUNCTION evil.eq(name, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
        CREATE OPERATOR evil.= (LEFTARG = name, RIGHTARG = text, FUNCTION = evil.eq);
        CREATE TABLE evil.consolidation_history (revision text);
        """);
    try (Connection connection = database.dataSource().getConnection()) {
      Sql.run(connection, "SET search_path = evil, pg_catalog");
      assertThat(Schema.inspect(connection, SchemaOptions.defaults()).revisions()).hasSize(2);
    }
  }
}
