package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.AlreadyConsolidatedException;
import io.agentmemory.consolidation.dao.ConsolidatedMemory;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.dao.Sources;
import io.agentmemory.consolidation.dao.TaskMemory;
import io.agentmemory.consolidation.ddl.QualifiedName;
import io.agentmemory.consolidation.schema.HostTable;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A host's table with rows and columns of its own, the project in another table. */
class HostTableTest {
  private static final String HOST =
      """
      create schema "App";
      create table "App".tasks (id text primary key, project_id text not null);
      create table "App"."Task Memories" (
        "Key" text primary key, task_id text not null references "App".tasks, note text,
        context_embedding double precision[], meta jsonb, ok integer, at timestamp not null);
      insert into "App".tasks values ('t1', 'project'), ('t2', 'other project');
      insert into "App"."Task Memories" values
        ('a', 't1', 'first', '{1,2,3}', '{"kind:x": "warning"}', 1, '2025-01-08 10:00'),
        ('b', 't1', 'second', null, '{}', 0, '2025-01-08 11:00'),
        ('c', 't2', 'theirs', '{3,2,1}', '{"kind:x": "warning"}', 1, '2025-01-08 12:00'),
        ('d', 't1', null, '{0,0,0}', '{"kind:x": "hunch"}', null, '2025-01-08 13:00'),
        ('e', 't1', 'nan', '{1,NaN,3}', null, 1, '2025-01-08 13:00'),
        ('f', 't1', 'nulls', '{1,null,3}', null, 1, '2025-01-08 13:00'),
        ('g', 't1', 'empty', '{}', null, 1, '2025-01-08 13:00'),
        ('h', 't1', 'tiny and huge', '{1e-300,1,0}', null, 1, '2025-01-08 13:00'),
        ('i', 't1', 'matrix', '{{1,2},{3,4}}', null, 1, '2025-01-08 13:00'),
        ('j', 't1', 'other dimensions', '{1,2}', null, 1, '2025-01-08 13:00')
      """;

  private static final HostTable MAPPING =
      HostTable.existing(new QualifiedName("App", "Task Memories"))
          .withIdColumn("Key")
          .withProject(
              "(select t.project_id from \"App\".tasks t where t.id = \"Task Memories\".task_id)")
          .withText("note -- the note")
          .withEmbedding("context_embedding")
          .withType("case when meta ? 'kind:x' then meta->>'kind:x' end /* a :b ? */")
          .withSuccess("ok = 1")
          .withTime("at at time zone 'UTC'");

  @RegisterExtension
  final TestDatabase database =
      TestDatabase.with(
              SchemaOptions.builder().dimensions(3).schema("memory").hostTable(MAPPING).build())
          .after(HOST)
          .withoutPool();

  private static NewMemory memory(String project) {
    return NewMemory.builder(project, MemoryType.LEARNING, AbstractionLevel.CONCRETE, "learned")
        .build();
  }

  private List<TaskMemory> unconsolidated() {
    return database
        .consolidation()
        .taskMemories()
        .unconsolidated("project", PageRequest.first(100))
        .items();
  }

  @Test
  void isReadThroughTheMapping() {
    List<TaskMemory> read = unconsolidated();
    assertThat(read)
        .extracting(TaskMemory::id)
        .containsExactly("a", "b", "d", "e", "f", "g", "h", "i", "j");
    TaskMemory first = read.get(0);
    assertThat(first.text()).isEqualTo("first");
    assertThat(first.type()).isEqualTo(MemoryType.WARNING);
    assertThat(first.success()).isTrue();
    assertThat(first.time()).hasToString("2025-01-08T10:00:00Z");
    assertThat(read.get(1).type()).isNull();
    assertThat(read.get(1).success()).isFalse();
    assertThat(read.get(2).type()).isEqualTo(MemoryType.UNKNOWN);
    assertThat(read.get(2).success()).isNull();
    assertThat(read.get(2).text()).isNull();
  }

  @Test
  void whatIsNoEmbeddingStandsInNobodysWay() {
    assertThat(unconsolidated())
        .extracting(TaskMemory::embedding)
        .containsExactly(
            Embedding.of(1, 2, 3),
            null,
            null,
            null,
            null,
            null,
            Embedding.of(0, 1, 0),
            null,
            Embedding.of(1, 2));
  }

  @Test
  void isMarkedAndOtherwiseLeftAlone() throws SQLException {
    String before = all();
    Consolidation consolidation = database.consolidation();
    ConsolidatedMemory made =
        consolidation.consolidate(memory("project"), Sources.ofTaskMemories("b", "a"));
    assertThat(
            database.rows(
                """
                select "Key", consolidated_into_id from "App"."Task Memories"
                where is_consolidated order by 1"""))
        .containsExactly("a|" + made.id(), "b|" + made.id());
    assertThat(all()).isEqualTo(before);
    assertThatThrownBy(
            () -> consolidation.consolidate(memory("project"), Sources.ofTaskMemories("a")))
        .isInstanceOf(AlreadyConsolidatedException.class);
    assertThatThrownBy(
            () -> consolidation.consolidate(memory("project"), Sources.ofTaskMemories("c")))
        .hasMessageContaining("\"c\"");
    consolidation.consolidate(memory("other project"), Sources.ofTaskMemories("c"));
  }

  private String all() throws SQLException {
    return database.row(
        """
        select md5(string_agg(concat_ws('|', "Key", task_id, note, context_embedding, meta, ok, at),
          ' ' order by "Key")) from "App"."Task Memories"
        """);
  }

  @Test
  void isReadInsideAJoinedTransactionToo() throws SQLException {
    try (var connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      assertThat(
              database
                  .consolidation()
                  .joining(connection)
                  .taskMemories()
                  .unconsolidated("other project", PageRequest.first(5))
                  .items())
          .extracting(TaskMemory::id)
          .containsExactly("c");
      connection.rollback();
    }
  }
}
