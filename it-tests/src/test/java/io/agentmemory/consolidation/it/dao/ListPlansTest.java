package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.schema.Schema;
import java.sql.SQLException;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What a page costs before and after the revision consolidation_003: 20,000 memories, jobs and task
 * memories, of which every tenth is of the project {@code p}, and of the task memories every
 * hundredth is not consolidated.
 */
class ListPlansTest {
  private static final PageRequest PAGE = PageRequest.first(50);

  @RegisterExtension
  final TestDatabase database = TestDatabase.withDimensions(3).upTo("consolidation_002");

  @BeforeEach
  void fill() throws SQLException {
    database.execute(
        """
        insert into consolidated_memories (id, project_id, content, memory_type,
          abstraction_level, source_memory_ids, created_at, updated_at, consolidated_at,
          source_count)
        select 'm' || i, case when i % 10 = 0 then 'p' else 'q' || i % 10 end, 'said ' || i,
          'decision', 1, '{}', now() - i * interval '1 minute', now(), now(), 0
        from generate_series(1, 20000) as i;
        insert into consolidation_jobs (id, project_id, status, trigger_type, created_at)
        select 'j' || i, case when i % 10 = 0 then 'p' else 'q' || i % 10 end, 'completed',
          'manual', now() - i * interval '1 minute'
        from generate_series(1, 20000) as i;
        insert into task_memories (id, project_id, task_id, execution_summary, success,
          is_consolidated)
        select 't' || i, case when i / 100 % 10 = 0 then 'p' else 'q' || i % 10 end, 't', 's', true,
          i % 100 <> 0
        from generate_series(1, 20000) as i;
        analyze consolidated_memories, consolidation_jobs, task_memories;
        """);
  }

  private String plan(String table, Consumer<Consolidation> read) throws SQLException {
    try (Plans plans = new Plans(database.connect(""))) {
      read.accept(database.consolidation().joining(plans.connection()));
      return plans.take(table);
    }
  }

  private void upgrade() {
    Schema.on(database.pool(), database.options()).upgrade();
  }

  @Test
  void memories_of_a_project_by_time_read_one_page() throws SQLException {
    Consumer<Consolidation> read = c -> c.memories().list("p", MemoryFilter.none(), PAGE);
    assertThat(plan("consolidated_memories", read)).contains("Sort");
    upgrade();
    assertThat(plan("consolidated_memories", read))
        .contains("Index Scan Backward using idx_cm_project_created")
        .contains("actual rows=51")
        .doesNotContain("Sort");
  }

  @Test
  void jobs_of_a_project_by_time_read_one_page() throws SQLException {
    Consumer<Consolidation> read = c -> c.jobs().list("p", PAGE);
    upgrade();
    assertThat(plan("consolidation_jobs", read))
        .contains("Index Scan Backward using idx_cj_project_created")
        .doesNotContain("Sort");
    database.execute("drop index idx_cj_project_created");
    assertThat(plan("consolidation_jobs", read)).doesNotContain("idx_cj_project_created");
  }

  @Test
  void unconsolidated_task_memories_pass_by_no_other() throws SQLException {
    Consumer<Consolidation> read = c -> c.taskMemories().unconsolidated("p", PAGE);
    assertThat(plan("task_memories", read)).contains("Rows Removed by Filter");
    upgrade();
    assertThat(plan("task_memories", read))
        .contains("idx_tm_unconsolidated")
        .doesNotContain("Rows Removed by Filter");
  }
}
