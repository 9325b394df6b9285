package io.agentmemory.consolidation.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.agentmemory.consolidation.Golden;
import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.Column;
import io.agentmemory.consolidation.ddl.ColumnType;
import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.ddl.QualifiedName;
import io.agentmemory.consolidation.ddl.Table;
import org.junit.jupiter.api.Test;

class ScriptTest {
  private static final ScriptContext CREATING = ScriptContext.creatingHostTable();
  private static final ScriptContext ADOPTING = ScriptContext.adoptingHostTable();

  private static final SchemaOptions ODD =
      SchemaOptions.builder()
          .schema("Memory \"Banks\"")
          .dimensions(3072)
          .hnsw(new HnswParameters(24, 200))
          .textSearchConfiguration("app.plain")
          .hostTable(
              HostTable.existing(new QualifiedName("app", "task_memories"))
                  .withIdColumn("key")
                  .withProject("(select p from app.tasks t where t.id = task_memories.task)"))
          .build();

  private static final Changelog APPLICATION =
      Changelog.named("my_app")
          .revision(
              Revision.of("my_001")
                  .requires("consolidation_001")
                  .change(
                      Change.create(
                          Table.of(
                              new QualifiedName("app", "notes"),
                              Column.of("id", ColumnType.text())))));

  private static final String LAST = OwnRevisions.CONSOLIDATION_004;

  private static final SchemaOptions SECURED =
      SchemaOptions.builder().rowLevelSecurity(true).build();

  @Test
  void createsEverythingFromNothing() {
    Golden.assertEqual(
        "upgrade-creating.sql", Schema.upgradeScript(SchemaOptions.defaults(), CREATING));
  }

  @Test
  void takesEverythingBack() {
    Golden.assertEqual(
        "downgrade-creating.sql", Schema.downgradeScript(SchemaOptions.defaults(), CREATING));
  }

  @Test
  void adoptsTheHostsTableIntoAnOddSchema() {
    Golden.assertEqual(
        "upgrade-adopting-odd.sql",
        Schema.upgradeScript(ODD, ADOPTING.creatingSchema().extensionIn("ext").with(APPLICATION)));
  }

  @Test
  void leavesWhatWasAdopted() {
    Golden.assertEqual(
        "downgrade-adopting-odd.sql",
        Schema.downgradeScript(
            ODD,
            ADOPTING
                .creatingSchema()
                .extensionIn("ext")
                .with(APPLICATION)
                .allowing(Hazard.DELETES_DATA)));
  }

  @Test
  void switchesRowLevelSecurityOnInADatabaseThatIsUpgradedWithout() {
    Golden.assertEqual(
        "upgrade-row-level-security.sql",
        Schema.upgradeScript(SECURED, CREATING.from(OwnRevisions.CONSOLIDATION_004)));
  }

  @Test
  void switchesRowLevelSecurityOff() {
    Golden.assertEqual(
        "downgrade-row-level-security.sql",
        Schema.downgradeScript(SECURED, CREATING.to(OwnRevisions.CONSOLIDATION_004)));
  }

  @Test
  void looksForDataOnlyWhereNoPolicyHidesIt() {
    assertThat(Schema.downgradeScript(SECURED, CREATING))
        .containsSubsequence(
            "LOCK TABLE",
            "SET LOCAL row_security = off",
            "\"consolidated_memories\"')) AS t(name)",
            "row_security_active",
            " NO FORCE ROW LEVEL SECURITY'",
            "EXISTS (SELECT FROM \"public\".\"consolidated_memories\")",
            "' FORCE ROW LEVEL SECURITY'");
  }

  @Test
  void grantsTheWorkersRoleTheJobsOfAllProjectsAndOthersNot() {
    assertThat(Schema.grantsScript(SECURED, "app"))
        .isEqualTo(Schema.grantsScript(SchemaOptions.defaults(), "app"));
    assertThat(Schema.workerGrantsScript(SchemaOptions.defaults(), "w"))
        .isEqualTo(Schema.grantsScript(SchemaOptions.defaults(), "w"));
    assertThat(Schema.workerGrantsScript(SECURED, "w \"1\""))
        .startsWith(Schema.grantsScript(SECURED, "w \"1\""))
        .endsWith(
            """
            CREATE POLICY "consolidation_all_projects" ON "public"."consolidation_jobs" TO "w ""1\"""
              USING (true) WITH CHECK (true);
            """);
  }

  @Test
  void goesOnFromARevision() {
    String rest =
        Schema.upgradeScript(SchemaOptions.defaults(), CREATING.from("task_memories_001"));
    assertThat(rest)
        .contains("CREATE TABLE \"public\".\"consolidated_memories\"")
        .contains("IS DISTINCT FROM 'task_memories_001'")
        .doesNotContain("CREATE EXTENSION")
        .doesNotContain("CREATE TABLE \"public\".\"task_memories\"")
        .doesNotContain("CREATE TABLE \"public\".\"consolidation_history\"");
  }

  @Test
  void stopsAtARevision() {
    assertThat(Schema.upgradeScript(SchemaOptions.defaults(), CREATING.to("task_memories_001")))
        .contains("CREATE TABLE \"public\".\"task_memories\"")
        .doesNotContain("CREATE TABLE \"public\".\"consolidated_memories\"");
    assertThat(Schema.downgradeScript(SchemaOptions.defaults(), CREATING.to("task_memories_001")))
        .contains("DROP TABLE \"public\".\"consolidated_memories\"")
        .doesNotContain("DROP TABLE \"public\".\"task_memories\"")
        .doesNotContain("DROP TABLE \"public\".\"consolidation_history\"");
  }

  @Test
  void saysWhereThereIsNothingToDo() {
    assertThat(Schema.upgradeScript(SchemaOptions.defaults(), CREATING.from(LAST)))
        .startsWith("-- Upgrade of the consolidation schema: nothing to do")
        .doesNotContain(";");
  }

  @Test
  void holdsNothingThatAToolOrATransactionMinds() {
    String script = Schema.upgradeScript(ODD, ADOPTING.with(APPLICATION));
    assertThat(script).doesNotContain("${").doesNotContainPattern("(?m)^\\\\");
    assertThat(script).doesNotContainPattern("(?m)^(BEGIN|COMMIT|ROLLBACK);");
    assertThat(script).doesNotContain("CASCADE");
  }

  @Test
  void refusesARevisionThatIsNotThere() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Schema.upgradeScript(ODD, ADOPTING.to("consolidation_999")))
        .withMessageContaining("No revision consolidation_999; there are [task_memories_001");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Schema.downgradeScript(ODD, ADOPTING.from("my_001")))
        .withMessageContaining("No revision my_001");
  }

  /** Recorded in databases: a change of the renderer that moves these is a breaking one. */
  @Test
  void keepsTheChecksumsThatDatabasesRecord() {
    assertThat(OwnRevisions.of(SchemaOptions.defaults(), false))
        .extracting(Revision::checksum)
        .containsExactly(
            "fd2b41a359531a2826e985cfad6ce5e22de5a4371f52c547f02ce19d572f1730",
            "17750a8a6cdb81b14f0528fe6c0f4784533ea316d9f740878e78f9c75456316c",
            "20b705a912402f5553c55e206ce766649eae2827d7c7b159f5377d9650ddf8d5",
            "0c6d17a41a2bad40d8245c389c662572451ed29a1a0cc284ccb8aef887749514",
            "d01b2e220835cd5cdb2294975c4241213e5e6b1c8ac717f3d03b99c93a22b682");
    assertThat(OwnRevisions.of(SECURED, false).get(5).checksum())
        .isEqualTo("ad35b98858c293bfc0fe63fdcb42fb1fc85577fc252c645ce1cee595b1d624e4");
    assertThat(OwnRevisions.of(SchemaOptions.defaults(), true).get(0).checksum())
        .isEqualTo("f55ac603623ce047fcde7fd082a0e60999e3a9ca8ee2389b02ee8deaaefe6327");
  }
}
