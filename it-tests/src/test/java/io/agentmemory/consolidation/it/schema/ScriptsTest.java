package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.Column;
import io.agentmemory.consolidation.ddl.ColumnType;
import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.ddl.QualifiedName;
import io.agentmemory.consolidation.ddl.Table;
import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.schema.Changelog;
import io.agentmemory.consolidation.schema.HnswParameters;
import io.agentmemory.consolidation.schema.HostTable;
import io.agentmemory.consolidation.schema.Revision;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaOptions;
import io.agentmemory.consolidation.schema.ScriptContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Scripts, run by {@code psql}, or as a migration tool runs them: in its own transaction. */
class ScriptsTest {
  private static final String HISTORY =
      "SELECT stream, position, revision, requires, checksum, options, additive, created, pending,"
          + " applied_by FROM \"Memory Bank\".consolidation_history ORDER BY position";

  private static final SchemaOptions OPTIONS =
      SchemaOptions.builder()
          .schema("Memory Bank")
          .dimensions(384)
          .hnsw(new HnswParameters(8, 40))
          .hostTable(
              HostTable.existing(new QualifiedName("public", "task_memories")).withText("E'\\t'"))
          .build();

  private static final Changelog NOTES =
      Changelog.named("my_app")
          .revision(
              Revision.of("my_001")
                  .requires("consolidation_001")
                  .change(
                      Change.create(
                          Table.of(
                              new QualifiedName("public", "notes"),
                              Column.of("id", ColumnType.text())))));

  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();

  @BeforeEach
  void createTheHostsTable() {
    Sql.run(
        database.dataSource(),
        "CREATE EXTENSION vector; CREATE TABLE task_memories (id text PRIMARY KEY)");
  }

  private static ScriptContext context() {
    return ScriptContext.adoptingHostTable().creatingSchema().with(NOTES);
  }

  private Schema schema() {
    return Schema.on(database.dataSource(), OPTIONS).with(NOTES);
  }

  @Test
  void reachWhatUpgradeReachesAndLeaveItNothingToDo() {
    String empty = database.dumpSchema();
    schema().upgrade();
    String upgraded = database.dumpSchema();
    List<String> history = Sql.rows(database.dataSource(), HISTORY);
    schema().downgradeToNothing();

    psql(Schema.upgradeScript(OPTIONS, context()));
    assertThat(database.dumpSchema()).isEqualTo(upgraded);
    assertThat(Sql.rows(database.dataSource(), HISTORY)).isEqualTo(history);
    assertThat(schema().upgrade().applied()).isEmpty();
    assertThat(schema().verify()).isEmpty();

    psql(Schema.downgradeScript(OPTIONS, context()));
    assertThat(database.dumpSchema()).isEqualTo(empty);
  }

  @Test
  void goStepByStep() {
    psql(Schema.upgradeScript(OPTIONS, context().to("task_memories_001")));
    psql(
        Schema.upgradeScript(OPTIONS, context().from("task_memories_001").to("consolidation_001")));
    psql(Schema.upgradeScript(OPTIONS, context().from("consolidation_001")));
    assertThat(schema().upgrade().applied()).isEmpty();
    psql(Schema.downgradeScript(OPTIONS, context().to("task_memories_001")));
    assertThat(schema().upgrade().applied()).startsWith("consolidation_001").endsWith("my_001");
  }

  @Test
  void createWhatIsMissing() {
    Sql.run(database.dataSource(), "DROP TABLE task_memories; DROP EXTENSION vector");
    psql(Schema.upgradeScript(SchemaOptions.defaults(), ScriptContext.creatingHostTable()));
    Schema schema = Schema.on(database.dataSource());
    assertThat(schema.upgrade().applied()).isEmpty();
    assertThat(schema.verify()).isEmpty();
    assertThat(schema.status().hostTableAdopted()).isFalse();
    schema.downgradeToNothing();
    assertThat(Sql.rows(database.dataSource(), "SELECT to_regclass('task_memories')"))
        .containsExactly("null");
  }

  @Test
  void runInsideATransactionOfATool() throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      Sql.run(connection, Schema.upgradeScript(OPTIONS, context()));
      connection.rollback();
      assertThat(Sql.rows(connection, "SELECT to_regnamespace('\"Memory Bank\"')"))
          .containsExactly("null");
      Sql.run(connection, "SET search_path = evil, pg_catalog, public");
      Sql.run(connection, "CREATE SCHEMA evil; CREATE DOMAIN evil.text AS integer");
      Sql.run(connection, Schema.upgradeScript(OPTIONS, context()));
      assertThat(Sql.rows(connection, "SHOW search_path"))
          .containsExactly("evil, pg_catalog, public");
      connection.commit();
    }
    assertThat(schema().upgrade().applied()).isEmpty();
    assertThat(schema().verify()).isEmpty();
  }

  @Test
  void areMigrationsOfFlyway(@TempDir Path migrations) throws IOException {
    SchemaOptions options = SchemaOptions.builder().schema("Odd \"$\" 'name'").build();
    ScriptContext creating = ScriptContext.creatingHostTable().creatingSchema();
    Files.writeString(
        migrations.resolve("V1__ours.sql"),
        Schema.upgradeScript(options, creating.to("task_memories_001")));
    Files.writeString(
        migrations.resolve("V2__ours.sql"),
        Schema.upgradeScript(options, creating.from("task_memories_001")));
    Files.writeString(
        migrations.resolve("V3__theirs.sql"), "CREATE TABLE my_own_in_public (id text)");

    Flyway.configure()
        .dataSource(database.dataSource())
        .locations("filesystem:" + migrations)
        .baselineOnMigrate(true)
        .baselineVersion("0")
        .load()
        .migrate();

    Schema schema = Schema.on(database.dataSource(), options);
    assertThat(schema.upgrade().applied()).isEmpty();
    assertThat(schema.verify()).isEmpty();
    assertThat(Sql.rows(database.dataSource(), "SELECT to_regclass('public.my_own_in_public')"))
        .containsExactly("my_own_in_public");
  }

  @Test
  void refuseADatabaseThatIsNotAsTheyAssume() {
    fails(
        Schema.upgradeScript(OPTIONS, context().from("task_memories_001")),
        "has not been upgraded");
    fails(Schema.downgradeScript(OPTIONS, context()), "has not been upgraded");
    fails(
        Schema.upgradeScript(OPTIONS, context().extensionIn("pg_catalog")),
        "must stand in the schema \"pg_catalog\"");
    schema().upgrade();
    fails(Schema.upgradeScript(OPTIONS, context()), "has been upgraded already");
    fails(
        Schema.upgradeScript(OPTIONS, context().from("task_memories_001")),
        "holds other revisions than this script starts from: task_memories_001");
    fails(
        Schema.downgradeScript(OPTIONS, ScriptContext.adoptingHostTable().with(NOTES)),
        "created other things than {}");
    fails(
        Schema.downgradeScript(OPTIONS.toBuilder().dimensions(3).build(), context()),
        "was upgraded with other options");
  }

  @Test
  void refuseATableThatCannotBeAdopted() {
    Sql.run(database.dataSource(), "ALTER TABLE task_memories DROP COLUMN id");
    fails(Schema.upgradeScript(OPTIONS, context()), "but it has no primary key");
    Sql.run(database.dataSource(), "DROP TABLE task_memories");
    fails(Schema.upgradeScript(OPTIONS, context()), "but it does not exist");
  }

  @Test
  void refuseToDeleteDataOrToTakeForeignObjectsAlong() {
    schema().upgrade();
    Sql.run(
        database.dataSource(),
        "INSERT INTO task_memories (id, is_consolidated) VALUES ('a', true);"
            + " CREATE VIEW v AS SELECT 1 FROM task_memories WHERE is_consolidated");
    fails(
        Schema.downgradeScript(OPTIONS, context()),
        "would go along. Drop or move them first: view public.v");
    Sql.run(database.dataSource(), "DROP VIEW v");
    fails(Schema.downgradeScript(OPTIONS, context()), "data would be deleted");
    psql(Schema.downgradeScript(OPTIONS, context().allowing(Hazard.DELETES_DATA)));
    assertThat(Sql.rows(database.dataSource(), "SELECT id FROM task_memories"))
        .containsExactly("a");
  }

  private void fails(String script, String message) {
    String before = database.dumpSchema();
    assertThatThrownBy(() -> psql(script)).hasMessageContaining(message);
    assertThat(database.dumpSchema()).isEqualTo(before);
  }

  private void psql(String script) {
    database
        .get()
        .server()
        .client(
            database.name(),
            "psql",
            "--no-psqlrc",
            "--single-transaction",
            "--set=ON_ERROR_STOP=1",
            "--command=" + script);
  }

  @Test
  void waitForAnotherNoLongerThanUpgradeDoesUnlessTheSessionSaysHowLong() throws SQLException {
    String script = Schema.upgradeScript(OPTIONS, context());
    try (Connection reader = database.dataSource().getConnection();
        Connection tool = database.dataSource().getConnection()) {
      reader.setAutoCommit(false);
      Sql.rows(reader, "SELECT 1 FROM task_memories");
      fails(script, "canceling statement due to lock timeout");
      tool.setAutoCommit(false);
      Sql.run(tool, "SET LOCAL lock_timeout = '10ms'");
      assertThatThrownBy(() -> Sql.run(tool, script))
          .hasMessageContaining("canceling statement due to lock timeout");
      tool.rollback();
      reader.rollback();
      Sql.run(tool, script);
      assertThat(Sql.rows(tool, "SHOW lock_timeout")).containsExactly("0");
      tool.commit();
    }
    assertThat(schema().upgrade().applied()).isEmpty();
  }

  @Test
  void refuseToBuildIndexesOnALargeTableUnlessThatIsAllowed() {
    Sql.run(
        database.dataSource(),
        """
        ALTER TABLE task_memories ADD body text, ALTER body SET STORAGE EXTERNAL,
          SET UNLOGGED;
        INSERT INTO task_memories SELECT i, repeat('x', 1000000) FROM generate_series(1, 70) i;
        """);
    fails(
        Schema.upgradeScript(OPTIONS, context()),
        "the table \"public\".\"task_memories\" is large");
    String first = Schema.upgradeScript(OPTIONS, context().to("task_memories_001"));
    psql(first);
    ScriptContext rest = context().from("task_memories_001");
    fails(Schema.upgradeScript(OPTIONS, rest), "allow it by Hazard.BLOCKS_FOR_LONG");
    psql(Schema.upgradeScript(OPTIONS, rest.allowing(Hazard.BLOCKS_FOR_LONG)));
    assertThat(schema().upgrade().applied()).isEmpty();
  }
}
