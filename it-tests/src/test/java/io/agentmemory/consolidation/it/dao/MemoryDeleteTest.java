package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.ConsolidatedMemory;
import io.agentmemory.consolidation.dao.InvalidInputException;
import io.agentmemory.consolidation.dao.MemoryInUseException;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.OnLineage;
import io.agentmemory.consolidation.dao.Sources;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class MemoryDeleteTest {
  @RegisterExtension final TestDatabase database = TestDatabase.withDimensions(3);

  private void taskMemory(String id, String project, String into) throws SQLException {
    database.execute(
        """
        insert into task_memories
          (id, project_id, task_id, execution_summary, success, is_consolidated,
           consolidated_into_id)
        values ('%s', '%s', 't', 's', true, true, '%s')"""
            .formatted(id, project, into));
  }

  private String marks() throws SQLException {
    return String.join(
        " ",
        database.column(
            """
            select concat(id, ':', is_consolidated, ':', consolidated_into_id)
            from task_memories order by id"""));
  }

  /** Two task memories make {@code low}; it and another memory make {@code high}. */
  private void family() throws SQLException {
    database
        .memories()
        .insertAll(
            List.of(
                memory("p", "low").id("low").sourceMemoryIds(List.of("t1", "t2")).build(),
                memory("p", "other").id("other").build(),
                memory("p", "high").id("high").sourceMemoryIds(List.of("low", "other")).build()));
    taskMemory("t1", "p", "low");
    taskMemory("t2", "p", "low");
    taskMemory("t3", "p", "high");
  }

  @Test
  void a_memory_without_lineage_goes_either_way() {
    for (OnLineage onLineage : OnLineage.values()) {
      database.memories().insert(memory("p", "alone").id("alone").build());
      assertThat(database.memories().delete("p", "alone", onLineage)).isTrue();
      assertThat(database.memories().delete("p", "alone", onLineage)).isFalse();
    }
  }

  @Test
  void one_that_has_sources_or_that_others_came_from_is_refused() throws SQLException {
    family();
    assertThatThrownBy(() -> database.memories().delete("p", "low", OnLineage.REFUSE))
        .isInstanceOf(MemoryInUseException.class)
        .hasMessageContaining("low")
        .hasMessageContaining("DETACH");
    assertThatThrownBy(() -> database.memories().delete("p", "other", OnLineage.REFUSE))
        .isInstanceOf(MemoryInUseException.class)
        .hasMessageContaining("others were consolidated from it");
    assertThatThrownBy(() -> database.memories().delete("p", "high", OnLineage.REFUSE))
        .isInstanceOf(MemoryInUseException.class)
        .hasMessageContaining("it was consolidated from others");
    assertThat(database.value("select count(*) from consolidated_memories")).isEqualTo("3");
    assertThat(marks()).isEqualTo("t1:t:low t2:t:low t3:t:high");
  }

  @Test
  void one_with_nothing_but_a_task_memorys_mark_is_refused_too() throws SQLException {
    database.memories().insert(memory("p", "marked").id("marked").build());
    taskMemory("t1", "p", "marked");
    assertThatThrownBy(() -> database.memories().delete("p", "marked", OnLineage.REFUSE))
        .isInstanceOf(MemoryInUseException.class);
  }

  @Test
  void detached_in_the_middle_frees_the_sources_and_leaves_the_others_lists() throws SQLException {
    family();
    ConsolidatedMemory before = database.memories().find("p", "high").orElseThrow();
    assertThat(database.memories().delete("p", "low", OnLineage.DETACH)).isTrue();

    assertThat(database.memories().find("p", "low")).isEmpty();
    ConsolidatedMemory high = database.memories().find("p", "high").orElseThrow();
    assertThat(high.sourceMemoryIds()).containsExactly("other");
    assertThat(high.sourceCount()).isEqualTo(1);
    assertThat(high.updatedAt()).isAfter(before.updatedAt());
    assertThat(marks()).isEqualTo("t1:f: t2:f: t3:t:high");
  }

  @Test
  void detached_at_the_top_frees_its_sources() throws SQLException {
    family();
    assertThat(database.memories().delete("p", "high", OnLineage.DETACH)).isTrue();
    assertThat(marks()).isEqualTo("t1:t:low t2:t:low t3:f:");
    assertThat(database.memories().delete("p", "other", OnLineage.REFUSE)).isTrue();
  }

  @Test
  void an_id_in_a_list_that_means_a_task_memory_of_the_same_name_stays() throws SQLException {
    database
        .memories()
        .insertAll(
            List.of(
                memory("p", "twin").id("twin").build(),
                memory("p", "high").id("high").sourceMemoryIds(List.of("twin")).build()));
    taskMemory("twin", "p", "high");
    assertThat(database.memories().delete("p", "twin", OnLineage.REFUSE)).isTrue();
    assertThat(database.memories().find("p", "high").orElseThrow().sourceMemoryIds())
        .containsExactly("twin");
    assertThat(marks()).isEqualTo("twin:t:high");
  }

  @Test
  void other_projects_are_left_alone() throws SQLException {
    family();
    database
        .memories()
        .insert(memory("q", "theirs").id("theirs").sourceMemoryIds(List.of("low")).build());
    taskMemory("t4", "q", "low");
    assertThat(database.memories().delete("q", "low", OnLineage.DETACH)).isFalse();
    assertThat(database.memories().delete("p", "low", OnLineage.DETACH)).isTrue();
    assertThat(database.memories().find("q", "theirs").orElseThrow().sourceMemoryIds())
        .containsExactly("low");
    assertThat(marks()).isEqualTo("t1:f: t2:f: t3:t:high t4:t:low");
  }

  @Test
  void a_refusal_leaves_a_joined_transaction_as_it_was() throws SQLException {
    family();
    try (Connection connection = database.pool().getConnection()) {
      connection.setAutoCommit(false);
      var joined = database.consolidation().joining(connection).memories();
      assertThatThrownBy(() -> joined.delete("p", "low", OnLineage.REFUSE))
          .isInstanceOf(MemoryInUseException.class);
      assertThat(joined.delete("p", "high", OnLineage.DETACH)).isTrue();
      connection.rollback();
    }
    assertThat(database.memories().find("p", "high")).isPresent();
    assertThat(marks()).isEqualTo("t1:t:low t2:t:low t3:t:high");
  }

  @Test
  void a_project_goes_in_batches_and_takes_its_marks_along() throws SQLException {
    family();
    List<NewMemory> many =
        IntStream.range(0, 103).mapToObj(i -> memory("p", "memory " + i).build()).toList();
    database.memories().insertAll(many);
    database.memories().insert(memory("q", "theirs").id("theirs").build());
    taskMemory("t4", "q", "theirs");

    assertThat(database.memories().deleteProject("p", 10)).isEqualTo(106);
    assertThat(database.memories().deleteProject("p", 10)).isZero();
    assertThat(database.column("select id from consolidated_memories")).containsExactly("theirs");
    assertThat(marks()).isEqualTo("t1:f: t2:f: t3:f: t4:t:theirs");
  }

  @Test
  void a_project_goes_in_a_joined_transaction_only_with_it() throws SQLException {
    family();
    try (Connection connection = database.pool().getConnection()) {
      connection.setAutoCommit(false);
      assertThat(database.consolidation().joining(connection).memories().deleteProject("p", 2))
          .isEqualTo(3);
      connection.rollback();
    }
    assertThat(database.value("select count(*) from consolidated_memories")).isEqualTo("3");
  }

  @Test
  @Timeout(60)
  void a_memory_that_is_just_becoming_a_source_is_refused_once_it_is_one() throws Exception {
    database.memories().insert(memory("p", "low").id("low").build());
    ExecutorService other = Executors.newSingleThreadExecutor();
    try (Connection connection = database.pool().getConnection()) {
      connection.setAutoCommit(false);
      database
          .consolidation()
          .joining(connection)
          .consolidate(memory("p", "high").build(), Sources.ofMemories("low"));
      Future<Boolean> delete =
          other.submit(() -> database.memories().delete("p", "low", OnLineage.REFUSE));
      while (database.column("select 1 from pg_locks where not granted").isEmpty()) {
        Thread.sleep(10);
      }
      connection.commit();
      assertThatThrownBy(delete::get).hasCauseInstanceOf(MemoryInUseException.class);
    } finally {
      other.shutdownNow();
    }
    assertThat(database.memories().find("p", "low")).isPresent();
  }

  @ParameterizedTest
  @EnumSource
  void a_joined_transaction_must_be_at_read_committed(OnLineage onLineage) throws SQLException {
    family();
    try (Connection connection = database.pool().getConnection()) {
      connection.setAutoCommit(false);
      for (int isolation :
          List.of(Connection.TRANSACTION_REPEATABLE_READ, Connection.TRANSACTION_SERIALIZABLE)) {
        connection.setTransactionIsolation(isolation);
        var joined = database.consolidation().joining(connection).memories();
        assertThatThrownBy(() -> joined.delete("p", "other", onLineage))
            .isInstanceOf(InvalidInputException.class)
            .hasMessageContaining("delete at READ COMMITTED");
        connection.rollback();
      }
    }
    assertThat(database.memories().find("p", "other")).isPresent();
  }

  /** As a count or a consolidation that has the first of its memories. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  @Timeout(60)
  void beside_others_that_lock_in_the_order_of_ids_nobody_waits_in_a_circle(boolean project)
      throws Exception {
    database
        .memories()
        .insertAll(
            List.of(
                memory("p", "b").id("b").createdAt(Instant.EPOCH).build(),
                memory("p", "a").id("a").sourceMemoryIds(List.of("b")).build()));
    ExecutorService other = Executors.newSingleThreadExecutor();
    try (Connection connection = database.pool().getConnection()) {
      connection.setAutoCommit(false);
      var joined = database.consolidation().joining(connection).memories();
      joined.countReuse("p", List.of("a"));
      Future<?> delete =
          other.submit(
              () ->
                  project
                      ? database.memories().deleteProject("p", 10)
                      : database.memories().delete("p", "b", OnLineage.DETACH));
      while (database.column("select 1 from pg_locks where not granted").isEmpty()) {
        Thread.sleep(10);
      }
      assertThat(joined.countReuse("p", List.of("a", "b"))).isEqualTo(2);
      connection.commit();
      delete.get();
    } finally {
      other.shutdownNow();
    }
    assertThat(database.memories().find("p", "b")).isEmpty();
    assertThat(database.memories().find("p", "a").isPresent()).isEqualTo(!project);
  }

  @Test
  @Timeout(60)
  void two_that_delete_a_project_at_once_both_go_on_until_nothing_is_left() throws Exception {
    database
        .memories()
        .insertAll(IntStream.range(0, 200).mapToObj(i -> memory("p", "m" + i).build()).toList());
    List<Object> deleted = Race.of(2, worker -> database.memories().deleteProject("p", 7));
    assertThat(deleted.stream().mapToLong(count -> (Long) count).sum()).isEqualTo(200);
    assertThat(database.value("select count(*) from consolidated_memories")).isEqualTo("0");
  }
}
