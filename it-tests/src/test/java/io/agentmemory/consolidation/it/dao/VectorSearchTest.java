package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.direction;
import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.SearchResult;
import io.agentmemory.consolidation.dao.SearchStrategy;
import io.agentmemory.consolidation.dao.VectorHit;
import io.agentmemory.consolidation.dao.VectorQuery;
import java.sql.SQLException;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class VectorSearchTest {
  private static final int DIMENSIONS = 3;

  @RegisterExtension final TestDatabase database = TestDatabase.withDimensions(DIMENSIONS);

  private static final VectorQuery EAST = VectorQuery.of(direction(DIMENSIONS, 0), 10);

  /** Memories at so many degrees from the east. */
  private void fill(String project, int... degrees) {
    List<NewMemory> memories =
        IntStream.of(degrees)
            .mapToObj(
                angle ->
                    memory(project, "at " + angle)
                        .id(project + angle)
                        .embedding(direction(DIMENSIONS, angle))
                        .tags(angle % 60 == 0 ? "sixty" : "other")
                        .build())
            .toList();
    database.memories().insertAll(memories);
  }

  private static List<String> ids(SearchResult<VectorHit> result) {
    return result.hits().stream().map(hit -> hit.memory().id()).toList();
  }

  @Test
  void the_nearest_come_first_with_distance_and_similarity() {
    fill("p", 180, 60, 0, 90);
    SearchResult<VectorHit> result = database.memories().searchByVector("p", EAST);

    assertThat(ids(result)).containsExactly("p0", "p60", "p90", "p180");
    assertThat(result.strategy()).isEqualTo(SearchStrategy.EXACT);
    assertThat(result.onlyStopWords()).isFalse();
    VectorHit sixty = result.hits().get(1);
    assertThat(sixty.distance()).isEqualTo(0.5, within(1e-6));
    assertThat(sixty.similarity()).isEqualTo(0.5, within(1e-6));
    assertThat(result.hits().get(3).similarity()).isEqualTo(-1, within(1e-6));
    assertThat(sixty.memory().content()).isEqualTo("at 60");
    assertThat(sixty.memory().embedding()).isNull();
  }

  @Test
  void a_result_has_as_many_hits_as_were_asked_for_or_match() {
    fill("p", 0, 10, 20, 30, 40);
    fill("q", 1, 2, 3, 4, 5, 6, 7);
    ConsolidatedMemoryDao memories = database.memories();
    assertThat(memories.searchByVector("p", VectorQuery.of(direction(DIMENSIONS, 0), 3)).hits())
        .hasSize(3);
    assertThat(memories.searchByVector("p", EAST).hits()).hasSize(5);
    assertThat(
            memories.searchByVector("p", VectorQuery.of(direction(DIMENSIONS, 0), 10_000)).hits())
        .hasSize(5);
    SearchResult<VectorHit> none = memories.searchByVector("nobody", EAST);
    assertThat(none.hits()).isEmpty();
    assertThat(none.strategy()).isEqualTo(SearchStrategy.EXACT);
  }

  @Test
  void equally_near_ones_come_in_order_of_their_ids() {
    for (String id : List.of("d", "a", "c", "b")) {
      database
          .memories()
          .insert(memory("p", id).id(id).embedding(direction(DIMENSIONS, 45)).build());
    }
    assertThat(ids(database.memories().searchByVector("p", EAST)))
        .containsExactly("a", "b", "c", "d");
    assertThat(ids(database.memories().searchByVector("p", VectorQuery.of(EAST.embedding(), 2))))
        .containsExactly("a", "b");
  }

  @Test
  void embeddings_come_along_when_asked_for() {
    fill("p", 30);
    VectorHit hit = database.memories().withEmbeddings().searchByVector("p", EAST).hits().get(0);
    assertThat(hit.memory().embedding()).isEqualTo(direction(DIMENSIONS, 30));
  }

  @Test
  void memories_without_an_embedding_or_with_a_zero_one_are_never_hits() throws SQLException {
    fill("p", 0, 90);
    database.memories().insert(memory("p", "none").build());
    String zero = database.memories().insert(memory("p", "zero").build()).id();
    database.execute(
        "update consolidated_memories set embedding = '[0,0,0]' where id = '" + zero + "'");
    assertThat(ids(database.memories().searchByVector("p", EAST))).containsExactly("p0", "p90");
  }

  @Test
  void filters_choose_before_the_nearest_are_counted() {
    fill("p", IntStream.range(0, 180).toArray());
    SearchResult<VectorHit> result =
        database
            .memories()
            .searchByVector("p", EAST.withFilter(MemoryFilter.none().allTags(List.of("sixty"))));
    assertThat(ids(result)).containsExactly("p0", "p60", "p120");
  }
}
