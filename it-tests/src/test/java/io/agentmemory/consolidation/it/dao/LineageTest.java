package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.InvalidInputException;
import io.agentmemory.consolidation.dao.Lineage;
import io.agentmemory.consolidation.dao.LineageStep;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.NewMemory;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Where memories come from, and what became of them. */
class LineageTest {
  @RegisterExtension final TestDatabase database = TestDatabase.withDimensions(3);

  private void memory(String id, AbstractionLevel level, String... sources) {
    database
        .memories()
        .insert(
            NewMemory.builder("p", MemoryType.DECISION, level, "about " + id)
                .id(id)
                .sourceMemoryIds(List.of(sources))
                .build());
  }

  private Lineage sources(String id, int distance) {
    return database.memories().sourcesOf("p", id, distance);
  }

  private Lineage became(String id, int distance) {
    return database.memories().descendantsOf("p", id, distance);
  }

  /** Two task memories each for a and b, both of these in the general g, a alone in h. */
  private void family() {
    memory("a", AbstractionLevel.CONCRETE, "t1", "t2");
    memory("b", AbstractionLevel.CONCRETE, "t2", "t3");
    memory("g", AbstractionLevel.PRINCIPLE, "b", "a");
    memory("h", AbstractionLevel.GENERALIZED, "a");
  }

  @Test
  void sources_come_with_their_sources_each_once_and_the_nearest_first() {
    family();
    assertThat(sources("g", 5))
        .isEqualTo(
            new Lineage(
                List.of(
                    new LineageStep("a", 1, AbstractionLevel.CONCRETE),
                    new LineageStep("b", 1, AbstractionLevel.CONCRETE),
                    new LineageStep("t1", 2, null),
                    new LineageStep("t2", 2, null),
                    new LineageStep("t3", 2, null)),
                true));
    assertThat(sources("t1", 5).steps()).isEmpty();
    assertThat(sources("nobody", 5)).isEqualTo(new Lineage(List.of(), true));
  }

  @Test
  void what_became_of_a_memory_is_found_from_task_memories_and_from_memories() {
    family();
    assertThat(became("t1", 5))
        .isEqualTo(
            new Lineage(
                List.of(
                    new LineageStep("a", 1, AbstractionLevel.CONCRETE),
                    new LineageStep("g", 2, AbstractionLevel.PRINCIPLE),
                    new LineageStep("h", 2, AbstractionLevel.GENERALIZED)),
                true));
    assertThat(became("b", 5).steps()).extracting(LineageStep::id).containsExactly("g");
    assertThat(became("g", 5).steps()).isEmpty();
  }

  @Test
  void a_lineage_that_goes_on_beyond_the_distance_is_told() {
    family();
    assertThat(sources("g", 1).complete()).isFalse();
    assertThat(sources("g", 1).steps()).extracting(LineageStep::id).containsExactly("a", "b");
    assertThat(sources("g", 2).complete()).isTrue();
    assertThat(became("t1", 1).complete()).isFalse();
    assertThat(became("t1", 2).complete()).isTrue();
  }

  @Test
  void cycles_end() {
    memory("x", AbstractionLevel.CONCRETE, "z", "x", "t");
    memory("y", AbstractionLevel.CONCRETE, "x");
    memory("z", AbstractionLevel.CONCRETE, "y");
    for (int distance : new int[] {3, 32}) {
      assertThat(sources("x", distance).steps())
          .extracting(LineageStep::id, LineageStep::distance)
          .containsExactly(step("t", 1), step("z", 1), step("y", 2));
      assertThat(sources("x", distance).complete()).isTrue();
      assertThat(became("x", distance).steps())
          .extracting(LineageStep::id, LineageStep::distance)
          .containsExactly(step("y", 1), step("z", 2));
      assertThat(became("t", distance).steps())
          .extracting(LineageStep::id)
          .containsExactly("x", "y", "z");
    }
  }

  private static org.assertj.core.groups.Tuple step(String id, int distance) {
    return org.assertj.core.groups.Tuple.tuple(id, distance);
  }

  @Test
  void more_memories_than_fit_are_told() throws SQLException {
    database.execute(
        """
        insert into consolidated_memories (id, project_id, content, memory_type, abstraction_level,
          source_memory_ids, created_at, updated_at, consolidated_at, source_count)
        select 'wide', 'p', 'x', 'decision', 1, array_agg('t' || i), now(), now(), now(), 10001
        from generate_series(1, 10001) as i""");
    assertThat(sources("wide", 1).steps()).hasSize(10_000);
    assertThat(sources("wide", 1).complete()).isFalse();
  }

  @Test
  void a_distance_out_of_bounds_is_refused() {
    for (int distance : new int[] {0, 33}) {
      assertThatThrownBy(() -> sources("g", distance))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("distance must be between 1 and 32");
    }
  }
}
