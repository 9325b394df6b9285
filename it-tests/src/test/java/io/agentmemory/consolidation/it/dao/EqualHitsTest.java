package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.direction;
import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.BatchQuery;
import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.FusedQuery;
import io.agentmemory.consolidation.dao.SearchResult;
import io.agentmemory.consolidation.dao.SearchStrategy;
import io.agentmemory.consolidation.dao.TextQuery;
import io.agentmemory.consolidation.dao.VectorHit;
import io.agentmemory.consolidation.dao.VectorQuery;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Four equally good memories of a small and of a large project, in a database whose collation
 * orders their ids {@code a, A, b, B}.
 */
class EqualHitsTest {
  private static final int DIMENSIONS = 8;
  private static final Embedding EAST = direction(DIMENSIONS, 0);
  private static final List<String> BY_BYTES = List.of("A", "B", "a", "b");

  @RegisterExtension static final TestDatabase database = TestDatabase.withDimensions(DIMENSIONS);

  @BeforeAll
  static void fill() throws SQLException {
    database.fillWithoutHnsw(
        """
        alter table consolidated_memories alter column id type varchar collate "en-x-icu";
        select setseed(0.5);
        insert into consolidated_memories (id, project_id, content, memory_type,
          abstraction_level, source_memory_ids, embedding, created_at, updated_at,
          consolidated_at, source_count)
        select project || ':' || id, project, 'zebra', 'decision', 1, '{}'::varchar[],
          (array_fill(1, array[1]) || array_fill(0, array[%1$d - 1]))::vector, now(), now(), now(), 0
        from unnest(array['b', 'A', 'a', 'B']) as id
        cross join unnest(array['small', 'large']) as project
        union all
        select 'far' || i, 'large', 'horse', 'decision', 1, '{}'::varchar[],
          (select array_agg(random() - 2) from generate_series(1, %1$d) where i > 0)::vector,
          now(), now(), now(), 0
        from generate_series(1, 3000) as i;
        """
            .formatted(DIMENSIONS));
  }

  private static List<String> names(SearchResult<VectorHit> result) {
    return result.hits().stream().map(hit -> name(hit.memory().id())).toList();
  }

  private static String name(String id) {
    return id.substring(id.indexOf(':') + 1);
  }

  @Test
  void the_database_orders_them_otherwise() throws SQLException {
    assertThat(
            database.column(
                "select id from consolidated_memories where project_id = 'small' order by id"))
        .containsExactly("small:a", "small:A", "small:b", "small:B");
  }

  @Test
  void they_come_in_the_order_of_the_bytes_of_their_ids_whatever_the_strategy() {
    ConsolidatedMemoryDao memories = database.memories();
    VectorQuery four = VectorQuery.of(EAST, 4);
    assertThat(names(memories.searchByVector("small", four))).isEqualTo(BY_BYTES);
    assertThat(names(memories.searchByVector("large", four.exactly()))).isEqualTo(BY_BYTES);
    for (int search = 0; search < 3; search++) {
      SearchResult<VectorHit> found = memories.searchByVector("large", four);
      assertThat(found.strategy()).isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
      assertThat(names(found)).isEqualTo(BY_BYTES);
    }
    for (String project : List.of("small", "large")) {
      assertThat(names(memories.searchByVectors(project, List.of(EAST), BatchQuery.of(4)).get(0)))
          .isEqualTo(BY_BYTES);
    }
  }

  @Test
  void they_come_in_that_order_where_words_are_searched_too() {
    for (String project : List.of("small", "large")) {
      assertThat(database.memories().searchByText(project, TextQuery.of("zebra", 4)).hits())
          .extracting(hit -> name(hit.memory().id()))
          .isEqualTo(BY_BYTES);
      for (int search = 0; search < 3; search++) {
        assertThat(database.memories().searchFused(project, FusedQuery.of("zebra", EAST, 4)).hits())
            .extracting(hit -> name(hit.memory().id()))
            .isEqualTo(BY_BYTES);
      }
    }
  }
}
