package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.AlreadyConsolidatedException;
import io.agentmemory.consolidation.dao.ConsolidatedMemory;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.DuplicateIdException;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.InvalidInputException;
import io.agentmemory.consolidation.dao.InvalidSourcesException;
import io.agentmemory.consolidation.dao.InvalidSourcesException.Reason;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.dao.Sources;
import io.agentmemory.consolidation.dao.TaskMemory;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.postgresql.ds.PGSimpleDataSource;

class ConsolidateTest {
  private static final String P = "project";
  private static final String OTHER = "other project";

  @RegisterExtension
  final TestDatabase database = TestDatabase.with(TestDatabase.SMALL).withoutPool();

  private Consolidation consolidation;

  @BeforeEach
  void open() {
    consolidation = database.consolidation();
  }

  private static NewMemory.Builder memory(AbstractionLevel level) {
    return NewMemory.builder(P, MemoryType.LEARNING, level, "what they have in common");
  }

  private static NewMemory memory() {
    return memory(AbstractionLevel.GENERALIZED).build();
  }

  private void taskMemories(String... ids) throws SQLException {
    for (String id : ids) {
      database.taskMemory(id, P);
    }
  }

  private void memories(String... ids) {
    for (String id : ids) {
      consolidation.memories().insert(memory(AbstractionLevel.CONCRETE).id(id).build());
    }
  }

  private List<String> unconsolidated() {
    return consolidation.taskMemories().unconsolidated(P, PageRequest.first(100)).items().stream()
        .map(TaskMemory::id)
        .toList();
  }

  private String memoryCount() throws SQLException {
    return database.row("select count(*) from consolidated_memories");
  }

  @Test
  void insertsTheMemoryAndMarksItsSources() throws SQLException {
    taskMemories("a", "b", "c");
    memories("low");
    ConsolidatedMemory made =
        consolidation.consolidate(
            memory(AbstractionLevel.GENERALIZED).embedding(Embedding.of(1, 2, 3)).build(),
            new Sources(List.of("c", "a"), List.of("low")));
    assertThat(made.sourceMemoryIds()).containsExactly("c", "a", "low");
    assertThat(made.sourceCount()).isEqualTo(3);
    assertThat(unconsolidated()).containsExactly("b");
    assertThat(
            database.rows(
                """
                select id, is_consolidated, consolidated_into_id from task_memories order by id"""))
        .containsExactly("a|t|" + made.id(), "b|f|null", "c|t|" + made.id());
    assertThat(consolidation.memories().withEmbeddings().find(P, made.id())).contains(made);
  }

  @Test
  void aTaskMemoryIsConsolidatedOnce() throws SQLException {
    taskMemories("a", "b", "c");
    consolidation.consolidate(memory(), Sources.ofTaskMemories("a", "b"));
    AlreadyConsolidatedException refused =
        assertThrows(
            AlreadyConsolidatedException.class,
            () -> consolidation.consolidate(memory(), Sources.ofTaskMemories("c", "b", "a")));
    assertThat(refused.sourceIds()).containsExactly("a", "b");
    assertThat(unconsolidated()).containsExactly("c");
    assertThat(memoryCount()).isEqualTo("1");
  }

  @Test
  void aConsolidatedMemoryIsConsolidatedOnce() throws SQLException {
    memories("a", "b", "c");
    consolidation.consolidate(memory(), Sources.ofMemories("a", "b"));
    AlreadyConsolidatedException refused =
        assertThrows(
            AlreadyConsolidatedException.class,
            () -> consolidation.consolidate(memory(), Sources.ofMemories("c", "b")));
    assertThat(refused.sourceIds()).containsExactly("b");
    consolidation.consolidate(memory(), Sources.ofMemories("c"));
    assertThat(memoryCount()).isEqualTo("5");
  }

  @Test
  void overlappingSourcesOfBothKindsHaveOneWinner() throws Exception {
    int rounds = 40;
    int workers = 4;
    for (int round = 0; round < rounds; round++) {
      String r = "r" + round;
      List<String> tasks = IntStream.range(0, 6).mapToObj(i -> r + " task " + i).toList();
      List<String> lows = IntStream.range(0, 6).mapToObj(i -> r + " memory " + i).toList();
      taskMemories(tasks.toArray(String[]::new));
      memories(lows.toArray(String[]::new));
      int kinds = round % 3;
      List<Object> results =
          Race.of(
              workers,
              worker -> {
                List<String> mine = new java.util.ArrayList<>(tasks.subList(0, 3 + worker % 3));
                List<String> myLows = new java.util.ArrayList<>(lows.subList(0, 3 + worker % 3));
                if (worker % 2 == 1) {
                  Collections.reverse(mine);
                  Collections.reverse(myLows);
                }
                Sources sources =
                    switch (kinds) {
                      case 0 -> Sources.ofTaskMemories(mine);
                      case 1 -> Sources.ofMemories(myLows);
                      default -> new Sources(mine, myLows);
                    };
                return consolidation.consolidate(memory(), sources);
              });
      List<ConsolidatedMemory> won =
          results.stream()
              .filter(ConsolidatedMemory.class::isInstance)
              .map(ConsolidatedMemory.class::cast)
              .toList();
      assertThat(won).as("winners of round %d", round).hasSize(1);
      assertThat(results)
          .allMatch(
              result ->
                  result instanceof ConsolidatedMemory
                      || result instanceof AlreadyConsolidatedException);
      assertThat(
              database.rows(
                  "select id from consolidated_memories where source_memory_ids && array['%s','%s']::varchar[]"
                      .formatted(tasks.get(0), lows.get(0))))
          .containsExactly(won.get(0).id());
      assertThat(
              database.rows(
                  """
                  select id from task_memories
                  where is_consolidated and id like '%s task %%' order by id"""
                      .formatted(r)))
          .isEqualTo(
              won.get(0).sourceMemoryIds().stream().filter(tasks::contains).sorted().toList());
    }
  }

  @Test
  void overlapsInACircleNeverDeadlock() throws Exception {
    for (int round = 0; round < 30; round++) {
      String r = "r" + round + " ";
      taskMemories(r + "a", r + "b", r + "c");
      memories(r + "x", r + "y", r + "z");
      List<List<String>> tasks =
          List.of(List.of(r + "a", r + "b"), List.of(r + "b", r + "c"), List.of(r + "c", r + "a"));
      List<List<String>> lows =
          List.of(List.of(r + "y", r + "x"), List.of(r + "z", r + "y"), List.of(r + "x", r + "z"));
      List<Object> results =
          Race.of(
              3,
              worker ->
                  consolidation.consolidate(
                      memory(), new Sources(tasks.get(worker), lows.get(worker))));
      assertThat(results.stream().filter(ConsolidatedMemory.class::isInstance)).hasSize(1);
      assertThat(results.stream().filter(AlreadyConsolidatedException.class::isInstance))
          .hasSize(2);
    }
  }

  @Test
  void missingSourcesAreRefusedByName() throws SQLException {
    taskMemories("a");
    memories("m");
    refuses(Reason.NOT_FOUND, List.of("nope"), Sources.ofTaskMemories("a", "nope"));
    refuses(Reason.NOT_FOUND, List.of("gone"), Sources.ofMemories("m", "gone"));
    refuses(Reason.NOT_FOUND, List.of("m"), Sources.ofTaskMemories("m"));
    refuses(Reason.NOT_FOUND, List.of("a"), Sources.ofMemories("a"));
    assertThat(unconsolidated()).containsExactly("a");
    assertThat(memoryCount()).isEqualTo("1");
  }

  @Test
  void anIdInBothTablesIsAmbiguous() throws SQLException {
    taskMemories("both", "a");
    memories("both", "m");
    refuses(Reason.AMBIGUOUS, List.of("both"), Sources.ofTaskMemories("a", "both"));
    refuses(Reason.AMBIGUOUS, List.of("both"), Sources.ofMemories("m", "both"));
    assertThat(memoryCount()).isEqualTo("2");
  }

  @Test
  void aSourceMayBeAsAbstractAsTheMemoryButNotMore() throws SQLException {
    consolidation.memories().insert(memory(AbstractionLevel.PRINCIPLE).id("high").build());
    consolidation.memories().insert(memory(AbstractionLevel.GENERALIZED).id("middle").build());
    refuses(Reason.MORE_ABSTRACT, List.of("high"), Sources.ofMemories("middle", "high"));
    consolidation.consolidate(memory(), Sources.ofMemories("middle"));
    assertThat(memoryCount()).isEqualTo("3");
  }

  private void refuses(Reason reason, List<String> ids, Sources sources) {
    InvalidSourcesException refused =
        assertThrows(
            InvalidSourcesException.class, () -> consolidation.consolidate(memory(), sources));
    assertThat(refused.reason()).isEqualTo(reason);
    assertThat(refused.sourceIds()).isEqualTo(ids);
    assertThat(refused).hasMessageContaining(ids.get(0));
  }

  @Test
  void anotherProjectsSourcesAreAsIfTheyDidNotExist() throws SQLException {
    taskMemories("a");
    memories("m");
    database.taskMemory("theirs", OTHER);
    consolidation
        .memories()
        .insert(
            NewMemory.builder(OTHER, MemoryType.LEARNING, AbstractionLevel.CONCRETE, "secret")
                .id("their memory")
                .build());
    refuses(Reason.NOT_FOUND, List.of("theirs"), Sources.ofTaskMemories("a", "theirs"));
    refuses(Reason.NOT_FOUND, List.of("their memory"), Sources.ofMemories("m", "their memory"));
    // Neither their rows of the same name nor their lineage stand in the way.
    database.taskMemory("m", OTHER);
    consolidation
        .memories()
        .insert(
            NewMemory.builder(OTHER, MemoryType.LEARNING, AbstractionLevel.PRINCIPLE, "secret")
                .id("a")
                .sourceMemoryIds(List.of("m", "a"))
                .build());
    ConsolidatedMemory made =
        consolidation.consolidate(memory(), new Sources(List.of("a"), List.of("m")));
    assertThat(made.sourceMemoryIds()).containsExactly("a", "m");
    assertThat(database.rows("select id from task_memories where is_consolidated"))
        .containsExactly("a");
  }

  @Test
  void anIdThatIsTakenChangesNothing() throws SQLException {
    taskMemories("a");
    memories("taken");
    NewMemory memory = memory(AbstractionLevel.GENERALIZED).id("taken").build();
    assertThatThrownBy(() -> consolidation.consolidate(memory, Sources.ofTaskMemories("a")))
        .isInstanceOf(DuplicateIdException.class);
    assertThat(unconsolidated()).containsExactly("a");
  }

  @Test
  void inAJoinedTransactionAFailedStepIsUndoneAndTheRestGoesOn() throws SQLException {
    taskMemories("a", "b");
    memories("taken");
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      Consolidation joined = consolidation.joining(connection);
      NewMemory memory = memory(AbstractionLevel.GENERALIZED).id("taken").build();
      assertThatThrownBy(() -> joined.consolidate(memory, Sources.ofTaskMemories("a")))
          .isInstanceOf(DuplicateIdException.class);
      joined.consolidate(memory(), Sources.ofTaskMemories("b"));
      assertThat(unconsolidated()).containsExactly("a", "b");
      connection.commit();
    }
    assertThat(unconsolidated()).containsExactly("a");
  }

  @Test
  void inAJoinedTransactionConsolidatedMemoriesNeedReadCommitted() throws SQLException {
    taskMemories("a");
    memories("m");
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      Consolidation joined = consolidation.joining(connection);
      assertThatThrownBy(() -> joined.consolidate(memory(), Sources.ofMemories("m")))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("repeatable read");
      joined.consolidate(memory(), Sources.ofTaskMemories("a"));
      connection.commit();
    }
    assertThat(unconsolidated()).isEmpty();
  }

  @Test
  void ownTransactionsAreReadCommittedWhateverTheDefaultIs() throws Exception {
    Consolidation strict =
        Consolidation.on(
            database.dataSource("-c default_transaction_isolation=serializable"),
            database.options());
    memories("m");
    List<Object> results =
        Race.of(2, worker -> strict.consolidate(memory(), Sources.ofMemories("m")));
    assertThat(results.stream().filter(ConsolidatedMemory.class::isInstance)).hasSize(1);
    assertThat(results.stream().filter(AlreadyConsolidatedException.class::isInstance)).hasSize(1);
  }

  @Test
  void aTriggerOfTheHostsThatKeepsTheMarkOutUndoesTheStep() throws SQLException {
    taskMemories("a");
    database.execute(
        """
        create function no() returns trigger language plpgsql as 'begin return null; end';
        create trigger no before update on task_memories for each row execute function no();
        """);
    assertThatThrownBy(() -> consolidation.consolidate(memory(), Sources.ofTaskMemories("a")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("trigger");
    assertThat(memoryCount()).isEqualTo("0");
  }

  @SuppressWarnings("NullAway")
  @Test
  void refusesBadInputBeforeAnyIo() {
    // Any connection would be refused with another exception.
    PGSimpleDataSource closed = new PGSimpleDataSource();
    closed.setUrl("jdbc:postgresql://localhost:1/nowhere");
    Consolidation nowhere = Consolidation.on(closed, database.options());
    Sources sources = Sources.ofTaskMemories("a");
    refusesInput(() -> nowhere.consolidate(null, sources));
    refusesInput(() -> nowhere.consolidate(memory(), null));
    refusesInput(
        () ->
            nowhere.consolidate(
                memory(AbstractionLevel.PRINCIPLE).embedding(Embedding.of(1, 2)).build(), sources));
    refusesInput(
        () ->
            nowhere.consolidate(
                memory(AbstractionLevel.PRINCIPLE).sourceMemoryIds(List.of("x")).build(), sources));
    refusesInput(
        () -> nowhere.consolidate(memory(AbstractionLevel.PRINCIPLE).id("a").build(), sources));
    refusesInput(() -> Sources.ofTaskMemories());
    refusesInput(() -> Sources.ofMemories(List.of()));
    refusesInput(() -> Sources.ofMemories((String[]) null));
    refusesInput(() -> Sources.ofMemories((List<String>) null));
    refusesInput(() -> Sources.ofMemories("a", null));
    refusesInput(() -> Sources.ofTaskMemories(Arrays.asList("a", null)));
    refusesInput(() -> Sources.ofTaskMemories("a", "a"));
    refusesInput(() -> new Sources(List.of("a"), List.of("a")));
    refusesInput(() -> new Sources(null, List.of("a")));
    refusesInput(() -> Sources.ofMemories(""));
    refusesInput(() -> Sources.ofMemories("a\0b"));
    refusesInput(() -> Sources.ofMemories("\uD800"));
    refusesInput(() -> Sources.ofMemories("x".repeat(1_025)));
    refusesInput(
        () -> Sources.ofMemories(IntStream.range(0, 10_001).mapToObj(i -> "m" + i).toList()));
  }

  private static void refusesInput(ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(InvalidInputException.class);
  }
}
