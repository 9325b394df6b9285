package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.FusedHit;
import io.agentmemory.consolidation.dao.FusedQuery;
import io.agentmemory.consolidation.dao.LoadOptions;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.SearchEffort;
import io.agentmemory.consolidation.dao.SearchResult;
import io.agentmemory.consolidation.dao.SearchStrategy;
import io.agentmemory.consolidation.dao.WordMatch;
import io.agentmemory.consolidation.schema.Schema;
import java.sql.SQLException;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Fused searches of a project that the index is followed in. */
class LargeFusedSearchTest {
  private static final int DIMENSIONS = 16;
  private static final int ROWS = 4_500;

  @RegisterExtension final TestDatabase database = TestDatabase.withDimensions(DIMENSIONS);

  @BeforeEach
  void load() {
    Iterator<NewMemory> memories =
        IntStream.range(0, ROWS)
            .mapToObj(
                i ->
                    NewMemory.builder(
                            "p",
                            MemoryType.LEARNING,
                            AbstractionLevel.CONCRETE,
                            "lesson " + i + (i % 100 == 0 ? " on quokkas" : ""))
                        .id("m" + i)
                        .embedding(Samples.embedding(DIMENSIONS, i))
                        .build())
            .iterator();
    Schema.on(database.dataSource(), database.options())
        .withBuildWorkers(0)
        .bulkLoad(() -> database.memories().load(memories, LoadOptions.defaults()));
  }

  private static FusedQuery query(WordMatch match) {
    return FusedQuery.of("quokkas", Samples.embedding(DIMENSIONS, 700), 10).withMatch(match);
  }

  private SearchResult<FusedHit> search(WordMatch match) {
    return database.memories().searchFused("p", query(match));
  }

  private static List<String> ids(SearchResult<FusedHit> result) {
    return result.hits().stream().map(hit -> hit.memory().id()).toList();
  }

  @ParameterizedTest
  @EnumSource(WordMatch.class)
  void follow_the_index_each_time(WordMatch match) {
    SearchResult<FusedHit> first = search(match);
    assertThat(ids(first)).hasSize(10).startsWith("m700");
    for (int i = 0; i < 10; i++) {
      SearchResult<FusedHit> result = search(match);
      assertThat(result).isEqualTo(first);
      assertThat(result.strategy()).isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
    }
  }

  @ParameterizedTest
  @EnumSource(WordMatch.class)
  void try_as_hard_as_asked_for(WordMatch match) {
    ConsolidatedMemoryDao memories = database.memories();
    assertThat(search(match).candidates()).isEqualTo(100);
    for (int i = 0; i < 3; i++) {
      SearchResult<FusedHit> low =
          memories.searchFused("p", query(match).withEffort(SearchEffort.LOW));
      assertThat(low.candidates()).isEqualTo(40);
      assertThat(low.strategy()).isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
      SearchResult<FusedHit> high =
          memories.searchFused("p", query(match).withEffort(SearchEffort.HIGH));
      assertThat(high.candidates()).isNull();
      assertThat(high.strategy())
          .as("to compare so many rows takes less than to collect 250 candidates")
          .isEqualTo(SearchStrategy.EXACT);
    }
  }

  @ParameterizedTest
  @EnumSource(WordMatch.class)
  void find_all_there_is_when_the_project_has_just_shrunk(WordMatch match) throws SQLException {
    assertThat(search(match).strategy()).isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
    assertThat(search(match).strategy()).isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
    database.execute("delete from consolidated_memories where id not in ('m7', 'm500', 'm600')");
    SearchResult<FusedHit> result = search(match);
    assertThat(ids(result)).containsExactlyInAnyOrder("m7", "m500", "m600");
    assertThat(result.strategy()).isEqualTo(SearchStrategy.EXACT);
  }
}
