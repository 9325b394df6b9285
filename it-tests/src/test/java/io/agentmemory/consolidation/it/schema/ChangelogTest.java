package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.Column;
import io.agentmemory.consolidation.ddl.ColumnType;
import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.ddl.Index;
import io.agentmemory.consolidation.ddl.IndexKey;
import io.agentmemory.consolidation.ddl.QualifiedName;
import io.agentmemory.consolidation.ddl.Table;
import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.schema.ChangeRefusedException;
import io.agentmemory.consolidation.schema.Changelog;
import io.agentmemory.consolidation.schema.Revision;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** An application's own revisions beside the library's. */
class ChangelogTest {
  private static final QualifiedName NOTES = new QualifiedName("public", "My notes");
  private static final QualifiedName MEMORIES =
      new QualifiedName("public", "consolidated_memories");

  private static final Column MOOD = Column.of("mood", ColumnType.integer()).withDefault("7");

  private static final Table TABLE =
      Table.of(
              NOTES,
              Column.of("id", ColumnType.varchar(40)).notNull(),
              Column.of("body", ColumnType.text()).notNull().withDefault("'it''s \\ {}'"),
              Column.of("scores", ColumnType.doublePrecision().array()),
              Column.of("vector", ColumnType.halfvec(8)),
              Column.of("words", ColumnType.tsvector())
                  .generatedAs("to_tsvector('pg_catalog.simple', body)"))
          .withPrimaryKey("id")
          .withCheck("notes_body_check", "length(body) < 1000");

  private static final Changelog FIRST =
      Changelog.named("my_app")
          .revision(
              Revision.of("my_001")
                  .requires("consolidation_001")
                  .change(
                      Change.create(TABLE),
                      Change.create(
                          Index.btree("notes_lower", NOTES, "body")
                              .withKeys(
                                  IndexKey.expression("lower(body)")
                                      .withOperatorClass("text_pattern_ops"),
                                  IndexKey.column("id").inDescendingOrder())
                              .asUnique()
                              .where("body <> ''")),
                      Change.create(
                          Index.hnsw("notes_near", NOTES, "vector", "halfvec_l2_ops").with("m", 8)),
                      Change.create(
                          Index.btree("memories_mine", MEMORIES, "consolidation_method"))));

  private static final Changelog SECOND =
      FIRST.revision(
          Revision.of("my_002")
              .requires("consolidation_001")
              .change(Change.add(NOTES, MOOD), Change.add(MEMORIES, MOOD)));

  private static final Changelog THIRD =
      SECOND.revision(
          Revision.of("my_003").requires("consolidation_001").change(Change.drop(NOTES, MOOD)));

  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();

  @BeforeEach
  void createTheExtension() {
    Sql.run(database.dataSource(), "CREATE EXTENSION vector");
  }

  private Schema with(Changelog changelog) {
    return Schema.on(database.dataSource()).with(changelog);
  }

  @Test
  void goesUpAndDownWithTheLibrarys() {
    String before = database.dumpSchema();
    assertThat(with(FIRST).upgrade().applied())
        .startsWith("task_memories_001", "consolidation_001")
        .endsWith("my_001");
    assertThat(with(SECOND).upgrade().applied()).containsExactly("my_002");
    assertThat(with(SECOND).upgrade().applied()).isEmpty();
    assertThat(with(SECOND).verify()).isEmpty();
    assertThat(with(SECOND).status().applied()).extracting("stream").contains("my_app");
    assertThat(with(SECOND).downgrade().undone()).containsExactly("my_002");
    assertThat(with(SECOND).verify()).isEmpty();
    assertThat(with(FIRST).downgradeTo("task_memories_001").undone())
        .startsWith("my_001")
        .endsWith("consolidation_001");
    with(FIRST).downgradeToNothing();
    assertThat(database.dumpSchema()).isEqualTo(before);
  }

  @Test
  void keepsTheLibrarysRevisionsThatItNeeds() {
    with(FIRST).upgrade();
    assertThatExceptionOfType(SchemaException.class)
        .isThrownBy(() -> Schema.on(database.dataSource()).downgradeTo("task_memories_001"))
        .withMessageContaining("Cannot take back my_001 of my_app");
    assertThat(Schema.on(database.dataSource()).upgrade().applied()).isEmpty();
    assertThat(Schema.on(database.dataSource()).verify()).isEmpty();
  }

  @Test
  void declaresALossyStepAndGoesUpItOnlyWhenThatIsAllowed() {
    with(SECOND).upgrade();
    assertThat(with(THIRD).upgrade().applied()).containsExactly("my_003");
    assertThat(with(THIRD).downgrade().undone()).containsExactly("my_003");
    Sql.run(database.dataSource(), "INSERT INTO \"My notes\" (id, mood) VALUES ('a', 3)");
    assertThatExceptionOfType(ChangeRefusedException.class)
        .isThrownBy(() -> with(THIRD).upgrade())
        .withMessageContaining("table \"public\".\"My notes\" has values in mood");
    assertThat(with(THIRD).allowing(Hazard.DELETES_DATA).upgrade().applied()).hasSize(1);
    assertThat(with(THIRD).verify()).isEmpty();
  }

  @Test
  void mayBeAppliedUpToOneOfItsRevisions() {
    assertThat(with(SECOND).upgradeTo("my_001").applied())
        .containsExactly("task_memories_001", "consolidation_001", "my_001");
    assertThat(with(SECOND).status().missing()).endsWith("my_002");
    assertThat(with(SECOND).status().upToDate()).isFalse();
  }
}
