package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.agentmemory.consolidation.dao.ConsolidatedMemory;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.InvalidInputException;
import io.agentmemory.consolidation.dao.InvalidSourcesException;
import io.agentmemory.consolidation.dao.MemoryInUseException;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.dao.Sources;
import io.agentmemory.consolidation.dao.TaskMemory;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

@Timeout(60)
class UndoTest {
  @RegisterExtension final TestDatabase database = TestDatabase.withDimensions(3);
  private Consolidation consolidation;

  /** Two task memories and a memory make {@code low}. */
  @BeforeEach
  void consolidate() throws SQLException {
    consolidation = database.consolidation();
    database.execute(
        """
        insert into task_memories (id, project_id, task_id, execution_summary, success)
        values ('t1', 'p', 't', 's', true), ('t2', 'p', 't', 's', true),
          ('t3', 'p', 't', 's', true)""");
    database.memories().insert(memory("p", "source").id("source").build());
    low(consolidation);
    consolidation.consolidate(memory("p", "x").id("else").build(), Sources.ofTaskMemories("t3"));
  }

  private static ConsolidatedMemory low(Consolidation consolidation) {
    return consolidation.consolidate(
        memory("p", "low").id("low").build(), new Sources(List.of("t1", "t2"), List.of("source")));
  }

  private static ConsolidatedMemory high(Consolidation consolidation) {
    return consolidation.consolidate(
        memory("p", "high").id("high").build(), Sources.ofMemories("low"));
  }

  private List<String> unconsolidated() {
    return consolidation.taskMemories().unconsolidated("p", PageRequest.first(9)).items().stream()
        .map(TaskMemory::id)
        .toList();
  }

  @Test
  void the_memory_goes_and_its_sources_can_be_consolidated_again() throws SQLException {
    ConsolidatedMemory low = database.memories().find("p", "low").orElseThrow();
    assertThat(consolidation.undo("p", "low")).contains(low);
    assertThat(low.sourceMemoryIds()).containsExactly("t1", "t2", "source");
    assertThat(database.memories().find("p", "low")).isEmpty();
    assertThat(unconsolidated()).containsExactly("t1", "t2");
    assertThat(database.value("select consolidated_into_id from task_memories where id = 't3'"))
        .isEqualTo("else");

    assertThat(consolidation.undo("p", "low")).as("a second time").isEmpty();
    low(consolidation);
    assertThat(unconsolidated()).isEmpty();
  }

  @Test
  void one_that_others_were_consolidated_from_is_refused_until_these_are_undone() {
    high(consolidation);
    MemoryInUseException refused =
        assertThrows(MemoryInUseException.class, () -> consolidation.undo("p", "low"));
    assertThat(refused.id()).isEqualTo("low");
    assertThat(refused.dependentIds()).containsExactly("high");
    assertThat(refused)
        .hasMessage(
            "The memory \"low\" was not deleted: others were consolidated from it, \"high\": undo"
                + " these first");
    assertThat(unconsolidated()).isEmpty();
    assertThat(consolidation.undo("p", "high")).isPresent();
    assertThat(consolidation.undo("p", "low")).isPresent();
  }

  @Test
  void what_was_not_consolidated_from_anything_is_left_alone() {
    assertThat(consolidation.undo("p", "source")).isEmpty();
    assertThat(consolidation.undo("p", "t1")).isEmpty();
    assertThat(consolidation.undo("q", "low")).isEmpty();
    assertThat(database.memories().findAll("p", List.of("low", "source"))).hasSize(2);
    refused(() -> consolidation.undo("", "low"));
    refused(() -> consolidation.undo("p", null));
  }

  private static void refused(ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(InvalidInputException.class);
  }

  @Test
  void in_a_joined_transaction_it_goes_with_it_and_needs_read_committed() throws SQLException {
    try (Connection connection = database.pool().getConnection()) {
      connection.setAutoCommit(false);
      Consolidation joined = consolidation.joining(connection);
      assertThat(joined.undo("p", "low")).isPresent();
      connection.rollback();
      assertThat(unconsolidated()).isEmpty();

      connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      assertThatThrownBy(() -> joined.undo("p", "low"))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("undo at READ COMMITTED");
      connection.rollback();
    }
    assertThat(consolidation.undo("p", "low")).isPresent();
  }

  @Test
  void beside_a_consolidation_from_it_whoever_comes_first_wins() throws Exception {
    assertThatThrownBy(() -> first(UndoTest::high, () -> consolidation.undo("p", "low")))
        .hasCauseInstanceOf(MemoryInUseException.class);
    consolidation.undo("p", "high");
    assertThatThrownBy(() -> first(joined -> joined.undo("p", "low"), () -> high(consolidation)))
        .hasCauseInstanceOf(InvalidSourcesException.class);
    assertThat(database.memories().find("p", "low")).isEmpty();
    assertThat(unconsolidated()).containsExactly("t1", "t2");
  }

  private interface Step {
    Object run(Consolidation joined);
  }

  /** Commits the first once the second waits for it. */
  private void first(Step first, Callable<Object> second) throws Exception {
    ExecutorService other = Executors.newSingleThreadExecutor();
    try (Connection connection = database.pool().getConnection()) {
      connection.setAutoCommit(false);
      first.run(consolidation.joining(connection));
      Future<Object> waiting = other.submit(second);
      while (database.column("select 1 from pg_locks where not granted").isEmpty()) {
        Thread.sleep(10);
      }
      connection.commit();
      waiting.get();
    } finally {
      other.shutdownNow();
    }
  }
}
