package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.FusedQuery;
import io.agentmemory.consolidation.dao.LoadOptions;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.SearchResult;
import io.agentmemory.consolidation.dao.SearchStrategy;
import io.agentmemory.consolidation.dao.VectorHit;
import io.agentmemory.consolidation.dao.VectorQuery;
import io.agentmemory.consolidation.schema.Schema;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Searches and writes of others while a bulk load goes on. */
class BulkLoadSearchTest {
  private static final int DIMENSIONS = 16;
  private static final int ROWS = 4_000;

  @RegisterExtension final TestDatabase database = TestDatabase.withDimensions(DIMENSIONS);

  private static Iterator<NewMemory> memories(String project) {
    return IntStream.range(0, ROWS)
        .mapToObj(
            i ->
                NewMemory.builder(
                        project, MemoryType.LEARNING, AbstractionLevel.CONCRETE, "lesson " + i)
                    .id(project + i)
                    .embedding(Samples.embedding(DIMENSIONS, i))
                    .build())
        .iterator();
  }

  private static List<String> ids(SearchResult<VectorHit> result) {
    return result.hits().stream().map(hit -> hit.memory().id()).toList();
  }

  @Test
  void find_the_same_and_tell_truly_how() {
    ConsolidatedMemoryDao memories = database.memories();
    Schema schema = Schema.on(database.pool(), database.options());
    schema.bulkLoad(() -> memories.load(memories("before"), LoadOptions.defaults()));
    VectorQuery query = VectorQuery.of(Samples.embedding(DIMENSIONS, 7), 10);
    List<String> exact = ids(memories.searchByVector("before", query.exactly()));
    assertThat(memories.searchByVector("before", query).strategy())
        .isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
    schema.bulkLoad(
        () -> {
          for (int i = 0; i < 3; i++) {
            SearchResult<VectorHit> found = memories.searchByVector("before", query);
            assertThat(ids(found)).isEqualTo(exact);
            assertThat(found.strategy()).isEqualTo(SearchStrategy.EXACT);
            assertThat(found.candidates()).isNull();
          }
          memories.load(memories("loaded"), LoadOptions.defaults());
          assertThat(ids(memories.searchByVector("loaded", query)).get(0)).isEqualTo("loaded7");
          FusedQuery fused = FusedQuery.of("lesson 7", Samples.embedding(DIMENSIONS, 7), 10);
          assertThat(memories.searchFused("loaded", fused).hits().get(0).memory().id())
              .isEqualTo("loaded7");
        });
    memories.searchByVector("loaded", query);
    assertThat(memories.searchByVector("loaded", query).strategy())
        .isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
    assertThat(ids(memories.searchByVector("loaded", query))).contains("loaded7");
  }

  @Test
  void writes_of_others_go_on_while_it_loads() {
    ConsolidatedMemoryDao memories = database.memories();
    Schema.on(database.pool(), database.options())
        .bulkLoad(
            () ->
                memories.insert(
                    NewMemory.builder(
                            "p", MemoryType.LEARNING, AbstractionLevel.CONCRETE, "another")
                        .embedding(Samples.embedding(DIMENSIONS, 1))
                        .build()));
    assertThat(
            memories
                .searchByVector("p", VectorQuery.of(Samples.embedding(DIMENSIONS, 1), 10))
                .hits())
        .hasSize(1);
  }
}
