package io.agentmemory.consolidation.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.Index;
import io.agentmemory.consolidation.ddl.QualifiedName;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PlannerTest {
  private static final SchemaOptions OPTIONS = SchemaOptions.defaults();
  private static final QualifiedName MEMORIES =
      new QualifiedName("public", "consolidated_memories");

  private static final Changelog A =
      Changelog.named("a")
          .revision(revision("a_001", "task_memories_001"))
          .revision(revision("a_002", "consolidation_001"));

  private static final Changelog B =
      Changelog.named("b").revision(revision("b_001", "consolidation_001"));

  private static Revision revision(String id, String requires) {
    return Revision.of(id)
        .requires(requires)
        .change(Change.create(Index.btree(id + "_index", MEMORIES, "content")));
  }

  private static Planner planner(Changelog... changelogs) {
    return new Planner(OPTIONS, List.of(changelogs));
  }

  private static Snapshot empty(boolean hostTable) {
    return new Snapshot(
        150000, new Extension("public", "0.8.4"), true, hostTable, false, List.of());
  }

  /** All of the library's, then others. */
  private static String[] ownAnd(String... others) {
    List<String> ids = new ArrayList<>(OwnRevisions.IDS);
    ids.remove(OwnRevisions.CONSOLIDATION_005);
    ids.addAll(List.of(others));
    return ids.toArray(String[]::new);
  }

  /** What a database records in which these were applied in this order. */
  private static Snapshot applied(String... ids) {
    Map<String, List<Revision>> streams = planner(A, B).streams(true);
    List<Applied> rows = new ArrayList<>();
    for (String id : ids) {
      streams.forEach(
          (stream, revisions) ->
              revisions.stream()
                  .filter(revision -> revision.id().equals(id))
                  .forEach(revision -> rows.add(row(stream, rows.size() + 1, revision))));
    }
    return new Snapshot(150000, new Extension("public", "0.8.4"), true, true, true, rows);
  }

  private static Applied row(String stream, int position, Revision revision) {
    return new Applied(
        stream,
        position,
        revision.id(),
        revision.requires(),
        revision.checksum(),
        OptionsJson.object(Json.read(OPTIONS.toJson())),
        revision.additive(),
        List.of(),
        List.of(),
        Instant.EPOCH,
        "me");
  }

  private static Snapshot with(Snapshot snapshot, Applied row) {
    List<Applied> rows = new ArrayList<>(snapshot.applied());
    rows.add(row);
    return new Snapshot(150000, snapshot.extension(), true, true, true, rows);
  }

  @Test
  void appliesTheLibrarysRevisionsBeforeTheApplications() {
    assertThat(planner(A, B).up(empty(true), null).revisions())
        .containsExactly(ownAnd("a_001", "a_002", "b_001"));
  }

  @Test
  void appliesWhatATargetRequiresAndNoMore() {
    assertThat(planner(A, B).up(empty(true), "task_memories_001").revisions())
        .containsExactly("task_memories_001");
    assertThat(planner(A, B).up(empty(true), "a_001").revisions())
        .containsExactly("task_memories_001", "a_001");
    assertThat(planner(A, B).up(empty(true), "a_002").revisions())
        .containsExactly("task_memories_001", "consolidation_001", "a_001", "a_002");
  }

  @Test
  void appliesNothingTwice() {
    Snapshot all = applied(ownAnd("a_001", "a_002", "b_001"));
    assertThat(planner(A, B).up(all, null).isEmpty()).isTrue();
    assertThat(planner(A, B).up(all, "task_memories_001").isEmpty()).isTrue();
    assertThat(
            planner(A, B)
                .up(applied("task_memories_001", "a_001"), "consolidation_001")
                .revisions())
        .containsExactly("consolidation_001");
  }

  @Test
  void adoptsWhereTheHostsTableExistsAndCreatesItWhereNot() {
    assertThat(planner().up(empty(true), "task_memories_001").changes()).isEmpty();
    Plan creating = planner().up(empty(false), "task_memories_001");
    assertThat(creating.changes()).hasSize(1);
    assertThat(creating.steps().get(0).created()).containsExactly("host_table");
  }

  @Test
  void takesBackTheLastRevisionOfAnyStream() {
    Snapshot now = applied("task_memories_001", "a_001", "consolidation_001");
    assertThat(planner(A).downOne(now).revisions()).containsExactly("consolidation_001");
    assertThat(planner(A).downOne(empty(true)).isEmpty()).isTrue();
  }

  @Test
  void takesBackWhatRequiresARevisionWithIt() {
    Snapshot now = applied("task_memories_001", "a_001", "consolidation_001", "a_002", "b_001");
    assertThat(planner(A, B).downTo(now, "task_memories_001").revisions())
        .containsExactly("b_001", "a_002", "consolidation_001");
    assertThat(planner(A, B).downTo(now, "consolidation_001").isEmpty()).isTrue();
    assertThat(planner(A, B).downTo(now, "a_001").revisions()).containsExactly("a_002");
    assertThat(planner(A, B).downToNothing(now).revisions())
        .containsExactly("b_001", "a_002", "consolidation_001", "a_001", "task_memories_001");
  }

  @Test
  void refusesToTakeBackWhatAnUnknownApplicationRequires() {
    Snapshot now = applied("task_memories_001", "consolidation_001", "b_001");
    assertThatExceptionOfType(SchemaException.class)
        .isThrownBy(() -> planner().downTo(now, "task_memories_001"))
        .withMessageContaining("Cannot take back b_001 of b")
        .withMessageContaining("Schema.with");
    assertThatExceptionOfType(SchemaException.class).isThrownBy(() -> planner().downOne(now));
  }

  @Test
  void refusesToGoDownToWhatIsNotApplied() {
    assertThatExceptionOfType(SchemaException.class)
        .isThrownBy(() -> planner().downTo(applied("task_memories_001"), "consolidation_001"))
        .withMessageContaining("it is not applied");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> planner().downTo(applied("task_memories_001"), "nowhere"))
        .withMessageContaining("No revision nowhere");
  }

  @Test
  void refusesOtherOptionsThanThoseRecorded() {
    Planner other = new Planner(OPTIONS.toBuilder().dimensions(384).build(), List.of());
    assertThatExceptionOfType(SchemaMismatchException.class)
        .isThrownBy(() -> other.up(applied("task_memories_001"), null))
        .satisfies(
            e ->
                assertThat(e.differences())
                    .containsExactly("dimensions: recorded 1536, given 384"));
  }

  @Test
  void refusesAnotherDefinitionOfAnAppliedRevision() {
    Changelog changed =
        Changelog.named("b").revision(Revision.of("b_001").requires("consolidation_001"));
    Snapshot now = applied("task_memories_001", "consolidation_001", "b_001");
    assertThatExceptionOfType(SchemaMismatchException.class)
        .isThrownBy(() -> planner(changed).up(now, null))
        .withMessageContaining("b_001: recorded checksum");
  }

  @Test
  void goesOnBesideAdditiveRevisionsOfANewerVersionButNotBesideOthers() {
    Snapshot now = applied(ownAnd());
    Revision adding = Revision.of("consolidation_900");
    Revision taking =
        adding.change(Change.drop(Index.btree("idx_cm_type", MEMORIES, "memory_type")));
    assertThat(planner().up(with(now, row("consolidation", 3, adding)), null).isEmpty()).isTrue();
    assertThatExceptionOfType(SchemaMismatchException.class)
        .isThrownBy(() -> planner().up(with(now, row("consolidation", 3, taking)), null))
        .withMessageContaining("a newer version applied it");
    assertThatExceptionOfType(SchemaException.class)
        .isThrownBy(() -> planner().downOne(with(now, row("consolidation", 3, adding))))
        .withMessageContaining("Use the version of the library that applied it");
  }

  @Test
  void refusesChangelogsThatCannotBe() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Changelog.named("consolidation"))
        .withMessageContaining("other than consolidation");
    assertThatIllegalArgumentException().isThrownBy(() -> Changelog.named("my app"));
    assertThatIllegalArgumentException().isThrownBy(() -> Revision.of("x y"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> A.revision(Revision.of("a_003")))
        .withMessageContaining("must require one of [task_memories_001, consolidation_001, ");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> A.revision(revision("a_001", "consolidation_001")))
        .withMessageContaining("name is taken: a_001");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> A.revision(revision("consolidation_001", "consolidation_001")))
        .withMessageContaining("name is taken");
    assertThatIllegalArgumentException().isThrownBy(() -> planner(A, A));
    Changelog sameRevision = Changelog.named("c").revision(revision("a_001", "consolidation_001"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> planner(A, sameRevision))
        .withMessageContaining("Two changelogs have a revision named a_001");
    Revision onHistory =
        Revision.of("h_001")
            .requires("consolidation_001")
            .change(
                Change.create(
                    Index.btree(
                        "h", new QualifiedName("public", "consolidation_history"), "stream")));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Changelog.named("h").revision(onHistory))
        .withMessageContaining("which is the library's");
  }

  @Test
  void comparesVersionsByNumber() {
    assertThat(Extension.isBelow("0.7.4", "0.8.0")).isTrue();
    assertThat(Extension.isBelow("0.8.0", "0.8.0")).isFalse();
    assertThat(Extension.isBelow("0.10.0", "0.8.4")).isFalse();
    assertThat(Extension.isBelow("0.8", "0.8.4")).isTrue();
    assertThat(Extension.isBelow("1.0-beta", "0.8.4")).isFalse();
  }
}
