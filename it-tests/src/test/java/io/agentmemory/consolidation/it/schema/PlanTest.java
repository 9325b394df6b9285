package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.it.postgres.PostgresServer;
import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import io.agentmemory.consolidation.schema.DowngradePlan;
import io.agentmemory.consolidation.schema.IndexBuilds;
import io.agentmemory.consolidation.schema.LockMode;
import io.agentmemory.consolidation.schema.PlannedStatement;
import io.agentmemory.consolidation.schema.PlannedStatement.Work;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.UpgradePlan;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a DBA is told before anything runs. */
class PlanTest {
  private static final String HOST =
      """
      CREATE TABLE task_memories (id text PRIMARY KEY, body text);
      INSERT INTO task_memories SELECT i::text, repeat('x', 200) FROM generate_series(1, 10000) i;
      """;

  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();

  @Test
  void saysWhatEachStatementLocksAndReadsAndWhereItRuns() {
    Sql.run(database.dataSource(), HOST);
    String before = database.dumpSchema();
    UpgradePlan plan = Schema.on(database.dataSource()).withLargeTablesFrom(1 << 20).plan();
    assertThat(database.dumpSchema()).isEqualTo(before);

    PlannedStatement columns = statement(plan, "add to table task_memories");
    assertThat(columns.lock()).isEqualTo(LockMode.ACCESS_EXCLUSIVE);
    assertThat(columns.tableBytes()).isGreaterThan(1 << 20);
    assertThat(columns.work()).isEqualTo(Work.NONE);
    assertThat(columns.online()).isFalse();
    PlannedStatement index = statement(plan, "create index idx_tm_consolidated");
    assertThat(index.lock()).isEqualTo(LockMode.SHARE_UPDATE_EXCLUSIVE);
    assertThat(index.work()).isEqualTo(Work.SCAN);
    assertThat(index.online()).isTrue();
    assertThat(index.sql()).startsWith("CREATE INDEX CONCURRENTLY");
    PlannedStatement own = statement(plan, "create index idx_cm_embedding");
    assertThat(own.exists()).isFalse();
    assertThat(own.online()).isFalse();
    assertThat(plan.hazards()).isEmpty();
    assertThat(plan.statements().get(0).sql()).startsWith("CREATE EXTENSION vector");
    assertThat(plan.toString().lines())
        .anyMatch(line -> line.matches("# +statement +lock +on table +size +rows +runs +hazards"))
        .anyMatch(
            line ->
                line.matches(
                    "\\d+ +create index idx_tm_consolidated +SHARE UPDATE EXCLUSIVE"
                        + " +public.task_memories +[\\d.]+ MB +scanned +online"));
  }

  @Test
  void namesTheHazardOfWritersThatWait() {
    Sql.run(database.dataSource(), HOST);
    UpgradePlan plan =
        Schema.on(database.dataSource())
            .withLargeTablesFrom(1 << 20)
            .withIndexBuilds(IndexBuilds.IN_TRANSACTION)
            .plan();
    assertThat(plan.hazards()).containsExactly(Hazard.BLOCKS_FOR_LONG);
    assertThat(statement(plan, "create index idx_tm_consolidated").lock())
        .isEqualTo(LockMode.SHARE);
  }

  @Test
  void saysOfADowngradeWhatGoesAndWhatIsInItsWay() {
    Sql.run(database.dataSource(), HOST);
    Schema schema = Schema.on(database.dataSource()).withIndexBuilds(IndexBuilds.IN_TRANSACTION);
    Sql.run(database.dataSource(), "CREATE EXTENSION vector");
    String nothing = database.dumpSchema();
    schema.upgrade();
    Sql.run(
        database.dataSource(),
        """
        CREATE VIEW seen AS SELECT id, is_consolidated FROM task_memories;
        INSERT INTO consolidation_jobs (id, project_id, status, trigger_type, created_at)
          VALUES ('a', 'p', 'pending', 'manual', now());
        """);
    String before = database.dumpSchema();
    DowngradePlan refused = schema.planDowngradeToNothing();
    assertThat(database.dumpSchema()).isEqualTo(before);
    assertThat(refused.obstacles())
        .containsExactly("view public.seen", "table \"public\".\"consolidation_jobs\" has rows");
    assertThat(refused.toString())
        .contains("drop table consolidation_jobs", "DELETES_DATA", "in the way: view public.seen");
    assertThat(schema.planDowngradeTo("consolidation_002").statements())
        .extracting(PlannedStatement::name)
        .containsExactly(
            "drop index idx_cj_running",
            "drop index idx_cj_pending",
            "drop from table consolidation_jobs the columns heartbeat_at, run_after",
            "forget consolidation_004",
            "drop index idx_tm_unconsolidated",
            "drop index idx_cj_project_created",
            "drop index idx_cm_project_created",
            "forget consolidation_003");
    Sql.run(database.dataSource(), "DROP VIEW seen");
    DowngradePlan allowed = schema.allowing(Hazard.DELETES_DATA).planDowngradeToNothing();
    assertThat(allowed.obstacles()).isEmpty();
    psql(allowed.script());
    assertThat(database.dumpSchema()).isEqualTo(nothing);
    assertThat(schema.planDowngrade().isEmpty()).isTrue();
  }

  @Test
  void isEmptyOnceEverythingIsThere() {
    Schema schema = Schema.on(database.dataSource());
    schema.upgrade();
    assertThat(schema.plan().isEmpty()).isTrue();
    assertThat(schema.plan()).hasToString("Nothing to do\n");
  }

  @Test
  void reachesAsAScriptWhatUpgradeReaches() {
    Sql.run(database.dataSource(), "CREATE EXTENSION vector;" + HOST);
    try (ScratchDatabase other = PostgresServer.shared().freshDatabase("plan")) {
      Sql.run(other.dataSource(), "CREATE EXTENSION vector;" + HOST);
      Schema scripted = Schema.on(database.dataSource()).withLargeTablesFrom(1 << 20);
      psql(scripted.plan().script());
      Schema upgraded = Schema.on(other.dataSource()).withLargeTablesFrom(1 << 20);
      assertThat(upgraded.upgrade().built()).isNotEmpty();
      assertThat(database.dumpSchema()).isEqualTo(other.dumpSchema());
      String history =
          "SELECT stream, position, revision, requires, checksum, options, additive, created,"
              + " pending, applied_by FROM consolidation_history ORDER BY position";
      assertThat(Sql.rows(database.dataSource(), history))
          .isEqualTo(Sql.rows(other.dataSource(), history));
      assertThat(scripted.plan().isEmpty()).isTrue();
      assertThat(scripted.verify()).isEmpty();
    }
  }

  @Test
  void isRefusedAsAScriptWhereTheNameOfAnIndexIsTakenMeanwhile() {
    Sql.run(database.dataSource(), "CREATE EXTENSION vector;" + HOST);
    String script = Schema.on(database.dataSource()).withLargeTablesFrom(1 << 20).plan().script();
    Sql.run(database.dataSource(), "CREATE INDEX idx_tm_consolidated ON task_memories (body)");
    String before = database.dumpSchema();
    assertThatThrownBy(() -> psql(script))
        .hasMessageContaining("idx_tm_consolidated\" is there already");
    assertThat(database.dumpSchema()).isEqualTo(before);
  }

  @Test
  void goesOnAsAScriptWithWhatAKilledBuildLeft() {
    Sql.run(database.dataSource(), HOST);
    Schema schema = Schema.on(database.dataSource()).withLargeTablesFrom(1 << 20);
    schema.upgrade();
    Sql.run(
        database.dataSource(),
        "UPDATE consolidation_history SET pending = '[\"\\\"public\\\".\\\"idx_tm_consolidated\\\"\"]'"
            + " WHERE revision = 'consolidation_001'; UPDATE pg_index SET indisvalid = false"
            + " WHERE indexrelid = 'idx_tm_consolidated'::regclass");
    assertThat(schema.plan().statements())
        .extracting(PlannedStatement::name)
        .containsExactly(
            "drop the invalid index idx_tm_consolidated",
            "create index idx_tm_consolidated",
            "record index idx_tm_consolidated");
    psql(schema.plan().script());
    assertThat(schema.status().upToDate()).isTrue();
    assertThat(schema.verify()).isEmpty();
  }

  /** A part at a time, as psql does with a file, which a container would not see. */
  private void psql(String script) {
    List<String> arguments = new ArrayList<>(List.of("--no-psqlrc", "--set=ON_ERROR_STOP=1"));
    for (String part : script.replaceAll("(?m)^\\\\set .*$", "").split("\n\n", -1)) {
      arguments.add("--command=" + part);
    }
    database.get().server().client(database.name(), "psql", arguments.toArray(String[]::new));
  }

  private static PlannedStatement statement(UpgradePlan plan, String name) {
    return plan.statements().stream()
        .filter(each -> each.name().startsWith(name))
        .findFirst()
        .orElseThrow();
  }
}
