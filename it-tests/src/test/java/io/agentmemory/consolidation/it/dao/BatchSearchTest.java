package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.BatchQuery;
import io.agentmemory.consolidation.dao.ConsolidatedMemory;
import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.InvalidInputException;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.Neighbour;
import io.agentmemory.consolidation.dao.SearchEffort;
import io.agentmemory.consolidation.dao.SearchResult;
import io.agentmemory.consolidation.dao.SearchStrategy;
import io.agentmemory.consolidation.dao.VectorHit;
import io.agentmemory.consolidation.dao.VectorQuery;
import java.sql.SQLException;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Many searches in one round trip, beside the same searches one by one. */
class BatchSearchTest {
  private static final MemoryFilter WARNINGS = MemoryFilter.none().types(MemoryType.WARNING);

  @RegisterExtension static final TestDatabase database = NearbyRows.database();

  private static List<Embedding> queries(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> Samples.embedding(NearbyRows.DIMENSIONS, i))
        .toList();
  }

  private static List<String> some(String project, int count) {
    int first = project.equals("small") ? 1 : 301;
    int step = project.equals("small") ? 7 : 97;
    return IntStream.range(0, count).mapToObj(i -> "m" + (first + i * step)).toList();
  }

  private static Set<String> ids(SearchResult<Neighbour> result) {
    Set<String> ids = new HashSet<>();
    result.hits().forEach(hit -> ids.add(hit.id()));
    return ids;
  }

  @Test
  void each_search_of_a_batch_finds_what_it_finds_alone() {
    List<Embedding> queries = queries(20);
    for (ConsolidatedMemoryDao memories :
        List.of(database.memories(), database.memories().withEmbeddings())) {
      for (String project : List.of("large", "small", "nobody's")) {
        for (VectorQuery single :
            List.of(
                VectorQuery.of(queries.get(0), 10),
                VectorQuery.of(queries.get(0), 10).exactly(),
                VectorQuery.of(queries.get(0), 500),
                VectorQuery.of(queries.get(0), 10).withEffort(SearchEffort.HIGH),
                VectorQuery.of(queries.get(0), 10).withFilter(WARNINGS),
                VectorQuery.of(queries.get(0), 10).withMaxDistance(0.4))) {
          BatchQuery batch =
              new BatchQuery(
                  single.limit(),
                  single.filter(),
                  single.effort(),
                  single.maxDistance(),
                  single.exact());
          assertThat(memories.searchByVectors(project, queries, batch))
              .isEqualTo(
                  queries.stream()
                      .map(
                          query ->
                              memories.searchByVector(
                                  project,
                                  new VectorQuery(
                                      query,
                                      single.limit(),
                                      single.filter(),
                                      single.effort(),
                                      single.maxDistance(),
                                      single.exact())))
                      .toList());
        }
      }
    }
  }

  @Test
  void neighbours_are_what_a_search_for_the_memorys_embedding_finds_but_the_memory() {
    for (String project : List.of("large", "small")) {
      List<String> ids = some(project, 30);
      Map<String, SearchResult<Neighbour>> neighbours =
          database.memories().neighbours(project, ids, BatchQuery.of(5).exactly());
      assertThat(neighbours.keySet()).containsExactlyElementsOf(ids);
      for (ConsolidatedMemory memory : database.memories().withEmbeddings().findAll(project, ids)) {
        VectorQuery alone = VectorQuery.of(memory.embedding(), 6).exactly();
        assertThat(neighbours.get(memory.id()).hits())
            .containsExactlyElementsOf(
                database.memories().searchByVector(project, alone).hits().stream()
                    .filter(hit -> !hit.memory().id().equals(memory.id()))
                    .map(BatchSearchTest::neighbour)
                    .toList());
      }
    }
  }

  private static Neighbour neighbour(VectorHit hit) {
    return new Neighbour(hit.memory().id(), hit.distance());
  }

  @Test
  void neighbours_in_a_large_project_come_by_the_index_and_nearly_all_of_them() {
    List<String> ids = some("large", 30);
    Map<String, SearchResult<Neighbour>> found =
        database.memories().neighbours("large", ids, BatchQuery.of(10));
    Map<String, SearchResult<Neighbour>> exact =
        database.memories().neighbours("large", ids, BatchQuery.of(10).exactly());
    int common = 0;
    for (String id : ids) {
      assertThat(found.get(id).strategy()).isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
      assertThat(found.get(id).candidates()).isEqualTo(64);
      assertThat(exact.get(id).strategy()).isEqualTo(SearchStrategy.EXACT);
      assertThat(found.get(id).hits()).hasSize(10);
      Set<String> both = ids(found.get(id));
      both.retainAll(ids(exact.get(id)));
      common += both.size();
    }
    assertThat(common / 10.0 / ids.size()).as("recall").isGreaterThanOrEqualTo(0.97);
  }

  @Test
  void fewer_than_asked_for_come_only_for_lack_of_rows_or_a_distance() {
    SearchResult<Neighbour> all =
        database.memories().neighbours("small", List.of("m1"), BatchQuery.of(1_000)).get("m1");
    assertThat(all.hits()).hasSize(299);
    assertThat(all.cutByDistance()).isFalse();
    SearchResult<Neighbour> near =
        database
            .memories()
            .neighbours("small", List.of("m1"), BatchQuery.of(1_000).withMaxDistance(0.3))
            .get("m1");
    assertThat(near.hits()).hasSizeBetween(1, 298).allMatch(hit -> hit.distance() <= 0.3);
    assertThat(near.cutByDistance()).isTrue();
    SearchResult<Neighbour> filtered =
        database
            .memories()
            .neighbours("large", List.of("m301"), BatchQuery.of(5_000).withFilter(WARNINGS))
            .get("m301");
    assertThat(filtered.hits()).hasSize(799);
  }

  @Test
  void ids_without_a_memory_of_the_project_or_an_embedding_are_left_out() {
    Map<String, SearchResult<Neighbour>> found =
        database
            .memories()
            .neighbours(
                "large",
                List.of("nobody", "m302", "m1", "blank", "zero", "m301"),
                BatchQuery.of(3));
    assertThat(found.keySet()).containsExactly("m302", "zero", "m301");
    assertThat(found.get("zero").hits()).as("what has no direction is near to nothing").isEmpty();
    assertThat(database.memories().neighbours("large", List.of(), BatchQuery.of(3))).isEmpty();
    assertThat(database.memories().searchByVectors("large", List.of(), BatchQuery.of(3))).isEmpty();
  }

  @Test
  void each_search_scans_the_index_and_the_size_is_looked_at_once() throws SQLException {
    List<Embedding> queries = queries(20);
    try (Plans plans = new Plans(database.connect(""))) {
      ConsolidatedMemoryDao memories =
          database.consolidation().joining(plans.connection()).memories();
      for (int i = 0; i < 10; i++) {
        plans.take();
        memories.searchByVectors("large", queries, BatchQuery.of(10));
        assertScans(plans.take(), "idx_cm_embedding_project", "idx_cm_project_cover", 20);
        memories.neighbours("large", some("large", 20), BatchQuery.of(10));
        assertScans(plans.take(), "idx_cm_embedding_project", "idx_cm_project_cover", 20);
        memories.neighbours("small", some("small", 20), BatchQuery.of(10));
        assertScans(plans.take(), "idx_cm_project_cover", "idx_cm_embedding_project", 20);
      }
      memories.neighbours("large", some("large", 20), BatchQuery.of(10).withFilter(WARNINGS));
      assertThat(plans.take()).doesNotContain("Seq Scan on consolidated_memories");
    }
  }

  private static void assertScans(String plan, String used, String unused, int searches) {
    assertThat(plan.lines().filter(line -> line.contains("using " + used + " on ")))
        .isNotEmpty()
        .allMatch(line -> line.contains("loops=" + searches + ")"));
    assertThat(plan.lines().filter(line -> line.contains("using " + unused + " on ")))
        .isNotEmpty()
        .allMatch(line -> line.contains("never executed"));
    assertThat(plan.lines().filter(line -> line.contains("using idx_cm_project on ")))
        .as("the look at the project's size")
        .hasSize(1)
        .allMatch(line -> line.contains("Index Only Scan") && line.contains("loops=1)"));
    assertThat(plan).doesNotContain("Seq Scan on consolidated_memories");
  }

  @Test
  void an_index_that_goes_or_comes_changes_the_way_and_not_what_is_found() throws SQLException {
    List<String> ids = some("large", 3);
    String definition =
        database.value("select pg_get_indexdef('idx_cm_embedding_project'::regclass)");
    ConsolidatedMemoryDao memories = database.memories();
    Map<String, SearchResult<Neighbour>> exact =
        memories.neighbours("large", ids, BatchQuery.of(3).exactly());
    database.execute("drop index idx_cm_embedding_project");
    try {
      for (SearchStrategy expected : List.of(SearchStrategy.HNSW_THEN_EXACT, SearchStrategy.HNSW)) {
        Map<String, SearchResult<Neighbour>> found =
            memories.neighbours("large", ids, BatchQuery.of(3));
        for (String id : ids) {
          assertThat(ids(found.get(id))).isEqualTo(ids(exact.get(id)));
          if (expected == SearchStrategy.HNSW) {
            assertThat(found.get(id).strategy()).isEqualTo(expected);
          }
        }
      }
    } finally {
      database.execute(definition);
    }
    memories.neighbours("large", ids, BatchQuery.of(3));
    assertThat(memories.neighbours("large", ids, BatchQuery.of(3)).get(ids.get(0)).strategy())
        .isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
  }

  @Test
  void a_batch_that_is_too_large_or_does_not_fit_the_schema_is_refused() {
    ConsolidatedMemoryDao memories = database.memories();
    List<Embedding> many = Collections.nCopies(1_001, queries(1).get(0));
    refused(
        () -> memories.searchByVectors("p", many, BatchQuery.of(1)),
        "embeddings must be at most 1,000 at a time, were 1,001");
    refused(
        () -> memories.searchByVectors("p", many.subList(0, 101), BatchQuery.of(100)),
        "embeddings times limit must be at most 10,000, was 101 times 100");
    List<String> ids = IntStream.range(0, 1_000).mapToObj(i -> "m" + i).toList();
    refused(
        () -> memories.neighbours("p", ids, BatchQuery.of(101)),
        "ids times limit must be at most 100,000, was 1,000 times 101");
    refused(
        () -> memories.searchByVectors("p", List.of(Embedding.of(1, 2)), BatchQuery.of(1)),
        "embeddings[0]: embedding must have 16 dimensions");
    refused(() -> BatchQuery.of(0), "limit must be between 1 and 10,000");
    refused(() -> BatchQuery.of(1).withMaxDistance(3), "maxDistance must be between 0");
  }

  private static void refused(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String message) {
    assertThatThrownBy(call)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(message);
  }
}
