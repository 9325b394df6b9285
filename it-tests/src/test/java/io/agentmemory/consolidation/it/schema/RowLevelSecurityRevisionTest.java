package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.Column;
import io.agentmemory.consolidation.ddl.ColumnType;
import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.ddl.Index;
import io.agentmemory.consolidation.ddl.QualifiedName;
import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.schema.ChangeRefusedException;
import io.agentmemory.consolidation.schema.Changelog;
import io.agentmemory.consolidation.schema.Difference;
import io.agentmemory.consolidation.schema.Revision;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaMismatchException;
import io.agentmemory.consolidation.schema.SchemaOptions;
import io.agentmemory.consolidation.schema.ScriptContext;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The revision consolidation_005, which is there only with the option. */
class RowLevelSecurityRevisionTest {
  private static final SchemaOptions OFF = SchemaOptions.builder().dimensions(3).build();
  private static final SchemaOptions ON = OFF.toBuilder().rowLevelSecurity(true).build();

  /** For every table: whether it is enabled and forced, then the policies. */
  private static final String CATALOG =
      """
      SELECT relname, relrowsecurity, relforcerowsecurity, polname, polcmd, polroles = '{0}',
        pg_get_expr(polqual, c.oid), pg_get_expr(polqual, c.oid) = pg_get_expr(polwithcheck, c.oid)
      FROM pg_class c LEFT JOIN pg_policy ON polrelid = c.oid
      WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname
      """;

  private static final String MEMORIES =
      """
      INSERT INTO consolidated_memories (id, project_id, content, memory_type, abstraction_level,
        source_memory_ids, embedding, created_at, updated_at, consolidated_at, source_count)
      SELECT 'm' || i, 'p', 'text', 'decision', 1, '{}',
        ARRAY[random(), random(), random()]::vector, now(), now(), now(), 0
      FROM generate_series(1, %d) AS i
      """;

  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();

  private Schema schema(SchemaOptions options) {
    return Schema.on(database.dataSource(), options);
  }

  private void run(String sql) {
    Sql.run(database.dataSource(), sql);
  }

  @Test
  void comesToADatabaseThatWasUpgradedWithoutAndGoesAgain() {
    schema(OFF).upgrade();
    String before = database.dumpSchema();
    assertThat(schema(ON).plan().toString())
        .contains("create policy consolidation_project of consolidated_memories")
        .contains("enable row-level security of consolidation_jobs");
    assertThat(schema(ON).upgrade().applied()).containsExactly("consolidation_005");
    assertThat(schema(ON).upgrade().applied()).isEmpty();
    String condition =
        "((project_id)::text = ( SELECT NULLIF(current_setting('consolidation.project'::text,"
            + " true), ''::text) AS \"nullif\"))";
    assertThat(Sql.rows(database.dataSource(), CATALOG))
        .containsExactly(
            "consolidated_memories | t | t | consolidation_project | * | t | " + condition + " | t",
            "consolidation_history | f | f | null | null | null | null | null",
            "consolidation_jobs | t | t | consolidation_project | * | t | " + condition + " | t",
            "task_memories | f | f | null | null | null | null | null");
    assertThat(schema(ON).verify()).isEmpty();
    assertThat(schema(ON).status().upToDate()).isTrue();
    assertThat(schema(ON).downgradeTo("consolidation_004").undone())
        .containsExactly("consolidation_005");
    assertThat(database.dumpSchema()).isEqualTo(before);
    assertThat(schema(OFF).verify()).isEmpty();
    Consolidation.on(database.dataSource(), OFF).jobs().statistics("p");
  }

  @Test
  void comesWithTheFirstUpgradeAndByTheScriptAlike() {
    schema(ON).upgrade();
    String upgraded = database.dumpSchema();
    schema(ON).downgradeToNothing();
    run(Schema.upgradeScript(ON, ScriptContext.creatingHostTable()));
    assertThat(database.dumpSchema()).isEqualTo(upgraded);
    assertThat(schema(ON).status().upToDate()).isTrue();
    run(Schema.downgradeScript(ON, ScriptContext.creatingHostTable().to("consolidation_004")));
    assertThat(schema(OFF).status().upToDate()).isTrue();
    run(Schema.upgradeScript(ON, ScriptContext.creatingHostTable().from("consolidation_004")));
    assertThat(database.dumpSchema()).isEqualTo(upgraded);
  }

  @Test
  void optionAndDatabaseMustAgreeBeforeAnythingIsRead() {
    schema(OFF).upgrade();
    Consolidation early = Consolidation.on(database.dataSource(), ON);
    assertThatThrownBy(() -> early.jobs().find("p", "j"))
        .isInstanceOf(SchemaMismatchException.class)
        .hasMessageContaining("Row-level security is not on");
    schema(ON).upgrade();
    assertThat(early.jobs().find("p", "j")).isEmpty();
    Consolidation late = Consolidation.on(database.dataSource(), OFF);
    assertThatThrownBy(() -> late.jobs().find("p", "j"))
        .isInstanceOf(SchemaMismatchException.class)
        .hasMessageContaining("rowLevelSecurity(true)");
    assertThatThrownBy(() -> schema(OFF).upgrade()).isInstanceOf(SchemaMismatchException.class);
  }

  @Test
  void verifyTellsEveryWayInWhichItIsNotWhatItShouldBe() {
    schema(ON).upgrade();
    run(
        """
        ALTER TABLE consolidated_memories NO FORCE ROW LEVEL SECURITY;
        CREATE POLICY everything ON consolidated_memories USING (true);
        ALTER TABLE consolidation_jobs DISABLE ROW LEVEL SECURITY;
        ALTER POLICY consolidation_project ON consolidation_jobs USING (true);
        CREATE POLICY consolidation_all_projects ON consolidation_jobs USING (true);
        """);
    assertThat(schema(ON).verify())
        .extracting(Difference::path)
        .containsExactlyInAnyOrder(
            "\"public\".\"consolidated_memories\" row-level security",
            "\"public\".\"consolidated_memories\" policy everything",
            "\"public\".\"consolidation_jobs\" row-level security",
            "\"public\".\"consolidation_jobs\" policy consolidation_project",
            "\"public\".\"consolidation_jobs\" policy consolidation_all_projects");
  }

  @Test
  void anOwnerWhoSeesNoRowsDoesNotDropThem() {
    try (OwnerRole owner = new OwnerRole(database)) {
      DataSource source = owner.dataSource();
      Schema owned = Schema.on(source, ON);
      owned.upgrade();
      run(
          """
          INSERT INTO consolidation_jobs (id, project_id, status, trigger_type, created_at)
          VALUES ('j', 'p', 'pending', 'manual', now())
          """);
      assertThat(count(source)).containsExactly("0");
      assertThat(owned.verify()).isEmpty();
      assertThatThrownBy(owned::downgradeToNothing)
          .isInstanceOf(ChangeRefusedException.class)
          .hasMessageMatching("(?s).*consolidation_jobs\"? has rows.*");
      assertThat(count(source)).containsExactly("0");
      assertThat(count(database.dataSource())).containsExactly("1");
      assertThatThrownBy(
              () -> Sql.run(source, Schema.downgradeScript(ON, ScriptContext.creatingHostTable())))
          .hasMessageMatching("(?s).*consolidation_jobs\"? has rows.*");
      run("DELETE FROM consolidation_jobs");
      owned.downgradeToNothing();
    }
  }

  @Test
  void anOwnerWhoSeesNoRowsIsToldThatInThePlanOfADowngrade() {
    try (OwnerRole owner = new OwnerRole(database)) {
      Schema owned = Schema.on(owner.dataSource(), ON);
      owned.upgrade();
      String before = database.dumpSchema();
      assertThat(owned.planDowngradeToNothing().obstacles())
          .contains(
              "whether table \"public\".\"consolidated_memories\" has rows cannot be seen:"
                  + " row-level security hides its rows from this role")
          .allMatch(obstacle -> obstacle.endsWith(" hides its rows from this role"));
      assertThat(owned.allowing(Hazard.DELETES_DATA).planDowngradeToNothing().obstacles())
          .isEmpty();
      assertThat(database.dumpSchema()).isEqualTo(before);
    }
  }

  @Test
  void anOwnerTakesAnOwnColumnBackOnceNoRowHasAValueAndThePoliciesStay() {
    QualifiedName memories = new QualifiedName("public", "consolidated_memories");
    Changelog app =
        Changelog.named("app")
            .revision(
                Revision.of("app_001")
                    .requires("consolidation_001")
                    .change(Change.create(Index.btree("by_sources", memories, "source_count"))))
            .revision(
                Revision.of("app_002")
                    .requires("consolidation_001")
                    .change(Change.add(memories, Column.of("mood", ColumnType.text()))));
    try (OwnerRole owner = new OwnerRole(database)) {
      Schema owned = Schema.on(owner.dataSource(), ON).with(app);
      owned.upgrade();
      owned.downgradeTo("app_001");
      String before = database.dumpSchema();
      owned.upgrade();
      run(MEMORIES.formatted(1) + "; UPDATE consolidated_memories SET mood = 'merry'");
      assertThatThrownBy(owned::downgrade)
          .isInstanceOf(ChangeRefusedException.class)
          .hasMessageContaining("has values in mood");
      String script =
          Schema.downgradeScript(ON, ScriptContext.creatingHostTable().with(app).to("app_001"));
      assertThatThrownBy(() -> Sql.run(owner.dataSource(), script))
          .hasMessageContaining("has values in mood");
      run("UPDATE consolidated_memories SET mood = NULL");
      assertThat(owned.downgrade().undone()).containsExactly("app_002");
      assertThat(database.dumpSchema()).isEqualTo(before);
      owned.upgrade();
      Sql.run(owner.dataSource(), script);
      assertThat(database.dumpSchema()).isEqualTo(before);
    }
  }

  @Test
  void buildsOfAnOwnerWhoSeesNoRowsAreSizedToAllOfThem() {
    try (OwnerRole owner = new OwnerRole(database)) {
      RecordingDataSource recording = new RecordingDataSource(owner.dataSource());
      Schema owned = Schema.on(recording.dataSource(), ON).withBuildWorkers(2);
      owned.upgrade();
      assertThat(owned.bulkLoad(() -> run(MEMORIES.formatted(5000))).built()).hasSize(2);
      assertThat(recording.statements())
          .anyMatch(
              sql ->
                  sql.contains("'maintenance_work_mem', '98304kB'")
                      && sql.contains("'max_parallel_maintenance_workers', '2'"));
    }
  }

  private static List<String> count(DataSource source) {
    return Sql.rows(source, "SELECT count(*) FROM consolidation_jobs");
  }
}
