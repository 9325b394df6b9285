package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.InvalidInputException;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.Page;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.dao.TaskMemory;
import io.agentmemory.consolidation.dao.TaskMemoryDao;
import io.agentmemory.consolidation.schema.HostTable;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class TaskMemoryDaoTest {
  private static final String P = "project";

  @RegisterExtension
  final TestDatabase database = TestDatabase.with(TestDatabase.SMALL).withoutPool();

  private TaskMemoryDao taskMemories;

  @BeforeEach
  void open() {
    taskMemories = database.consolidation().taskMemories();
  }

  @Test
  void readsWhatTheTableHolds() throws SQLException {
    database.execute(
        """
        insert into task_memories (id, project_id, task_id, execution_summary, success,
          memory_type, context_embedding, learned_at)
        values ('a', 'project', 't', 'it worked', true, 'warning', '[1,2,3]',
            '2025-01-08 10:00:00.123456+01'),
          ('b', 'project', 't', 'it did not', false, 'discovery', null, '2025-01-09 00:00:00+00')
        """);
    assertThat(taskMemories.unconsolidated(P, PageRequest.first(10)).items())
        .containsExactly(
            new TaskMemory(
                "a",
                P,
                "it worked",
                Embedding.of(1, 2, 3),
                MemoryType.WARNING,
                true,
                Instant.parse("2025-01-08T09:00:00.123456Z")),
            new TaskMemory(
                "b",
                P,
                "it did not",
                null,
                MemoryType.DISCOVERY,
                false,
                Instant.parse("2025-01-09T00:00:00Z")));
  }

  @Test
  void pagesShiftByNothingThatComesOrGoes() throws SQLException {
    for (int i = 0; i < 10; i++) {
      database.taskMemory("m%02d".formatted(i), P);
      database.taskMemory("o%02d".formatted(i), "other project");
    }
    List<String> seen = new ArrayList<>();
    PageRequest next = PageRequest.first(3);
    while (next != null) {
      Page<TaskMemory> page = taskMemories.unconsolidated(P, next);
      page.items().forEach(memory -> seen.add(memory.id()));
      database.execute(
          "update task_memories set is_consolidated = true where id = '%s'"
              .formatted(page.items().get(0).id()));
      next = page.next();
    }
    assertThat(seen)
        .containsExactly("m00", "m01", "m02", "m03", "m04", "m05", "m06", "m07", "m08", "m09");
    assertThat(taskMemories.unconsolidated(P, PageRequest.first(10)).items())
        .extracting(TaskMemory::id)
        .containsExactly("m01", "m02", "m04", "m05", "m07", "m08");
  }

  @Test
  void anUnknownTypeIsReadable() throws SQLException {
    database.taskMemory("a", P);
    database.execute(
        """
        alter table task_memories drop constraint if exists task_memories_type_check;
        do $$ declare c text; begin
          for c in select conname from pg_constraint
              where conrelid = 'task_memories'::regclass and contype = 'c' loop
            execute format('alter table task_memories drop constraint %I', c);
          end loop; end $$;
        update task_memories set memory_type = 'hunch'
        """);
    assertThat(taskMemories.unconsolidated(P, PageRequest.first(1)).items().get(0).type())
        .isEqualTo(MemoryType.UNKNOWN);
  }

  @Test
  void withoutAMappingForTheProjectThereIsNoDao() {
    SchemaOptions unmapped =
        database.options().toBuilder()
            .hostTable(HostTable.existing(HostTable.created("public").table()))
            .build();
    Consolidation consolidation = Consolidation.on(database.dataSource(), unmapped);
    assertThatThrownBy(consolidation::taskMemories)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("withProject");
  }

  @SuppressWarnings("NullAway")
  @Test
  void refusesBadInput() {
    PageRequest first = PageRequest.first(1);
    refuses(() -> taskMemories.unconsolidated(null, first));
    refuses(() -> taskMemories.unconsolidated(P, null));
    refuses(() -> taskMemories.unconsolidated("", first));
    refuses(() -> taskMemories.unconsolidated("a\0b", first));
    refuses(() -> taskMemories.unconsolidated("\uD800", first));
    refuses(() -> taskMemories.unconsolidated("x".repeat(1_025), first));
    refuses(() -> taskMemories.unconsolidated(P, PageRequest.first(0)));
    refuses(() -> taskMemories.unconsolidated(P, PageRequest.first(10_001)));
    refuses(() -> taskMemories.unconsolidated(P, new PageRequest(1, "a\0b")));
  }

  private static void refuses(ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(InvalidInputException.class);
  }
}
