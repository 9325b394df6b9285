package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.BatchQuery;
import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.FusedHit;
import io.agentmemory.consolidation.dao.FusedQuery;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.Neighbour;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.dao.PairQuery;
import io.agentmemory.consolidation.dao.SearchResult;
import io.agentmemory.consolidation.dao.SearchStrategy;
import io.agentmemory.consolidation.dao.SimilarPairs;
import io.agentmemory.consolidation.dao.VectorHit;
import io.agentmemory.consolidation.dao.VectorQuery;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * 7,000 rows of the project {@code large} and 1,000 in the way. An HNSW index is invalid while it
 * is built online, and after a build that was cut short.
 */
class InvalidIndexTest {
  private static final int DIMENSIONS = 16;
  private static final String BY_PROJECT = "idx_cm_embedding_project";
  private static final String AMONG_ALL = "idx_cm_embedding";
  private static final Embedding NEAR = Samples.embedding(DIMENSIONS, 1);

  @RegisterExtension static final TestDatabase database = TestDatabase.withDimensions(DIMENSIONS);

  @BeforeAll
  static void fill() throws SQLException {
    database.fillWithoutHnsw(
        """
        select setseed(0.5);
        insert into consolidated_memories (id, project_id, content, memory_type,
          abstraction_level, source_memory_ids, embedding, confidence_score, created_at,
          updated_at, consolidated_at, source_count)
        select 'm' || i, case when i < 7000 then 'large' else 'other' end, 'about indexes',
          'decision', 1, '{}',
          (select array_agg(random() - 0.5) from generate_series(1, %d) where i >= 0)::vector, 1,
          now(), now(), now(), 0
        from generate_series(0, 7999) as i;
        """
            .formatted(DIMENSIONS));
  }

  /** What a search found, and how. */
  private record Found(List<String> ids, SearchStrategy strategy) {
    static Found of(SearchResult<VectorHit> result) {
      return new Found(
          result.hits().stream().map(hit -> hit.memory().id()).toList(), result.strategy());
    }
  }

  private static Arguments search(String name, Function<ConsolidatedMemoryDao, Found> search) {
    return Arguments.of(Named.of(name, search));
  }

  private static Arguments byVector(String name, MemoryFilter filter) {
    VectorQuery ten = VectorQuery.of(NEAR, 10).withFilter(filter);
    return search(name, memories -> Found.of(memories.searchByVector("large", ten)));
  }

  static Stream<Arguments> searches() {
    MemoryFilter all = MemoryFilter.none();
    BatchQuery ten = BatchQuery.of(10);
    return Stream.of(
        byVector("by vector", all),
        byVector("of a type", all.types(MemoryType.DECISION)),
        byVector("of a confidence", all.minConfidence(0.5)),
        byVector("of a time", all.from(Instant.EPOCH)),
        search(
            "fused",
            memories -> {
              SearchResult<FusedHit> found =
                  memories.searchFused("large", FusedQuery.of("absent", NEAR, 10));
              return new Found(
                  found.hits().stream().map(hit -> hit.memory().id()).toList(), found.strategy());
            }),
        search(
            "batch",
            memories ->
                Found.of(memories.searchByVectors("large", List.of(NEAR, NEAR), ten).get(1))),
        search(
            "neighbours",
            memories -> {
              SearchResult<Neighbour> found =
                  memories.neighbours("large", List.of("m7"), ten).get("m7");
              return new Found(found.hits().stream().map(Neighbour::id).toList(), found.strategy());
            }),
        search(
            "pairs",
            memories -> {
              SimilarPairs found =
                  memories.similarPairs("large", PairQuery.of(0.75), PageRequest.first(20));
              return new Found(
                  found.pairs().stream().map(pair -> pair.leftId() + pair.rightId()).toList(),
                  found.strategies().iterator().next());
            }));
  }

  /** What the catalog says of a build online; the second update has plans made again. */
  private static void setValid(boolean valid, String... indexes) throws SQLException {
    for (String index : indexes) {
      database.execute(
          """
          update pg_index set indisvalid = %s where indexrelid = '%s'::regclass;
          update pg_class set relname = relname where oid = 'consolidated_memories'::regclass"""
              .formatted(valid, index));
    }
  }

  @AfterEach
  void allAreValid() throws SQLException {
    setValid(true, BY_PROJECT, AMONG_ALL);
  }

  @ParameterizedTest
  @MethodSource("searches")
  void searches_find_the_same_by_the_index_that_is_valid(
      Function<ConsolidatedMemoryDao, Found> search) throws SQLException {
    try (Plans plans = new Plans(database.connect(""))) {
      Consolidation consolidation = Consolidation.on(database.pool(), database.options());
      ConsolidatedMemoryDao memories = consolidation.joining(plans.connection()).memories();
      for (int i = 0; i < 3; i++) {
        assertThat(search.apply(memories).strategy).isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
      }

      setValid(false, BY_PROJECT);
      plans.take();
      Found first = search.apply(memories);
      assertThat(first.strategy).isIn(SearchStrategy.EXACT, SearchStrategy.HNSW);
      doesNotSortByCode(plans.take());
      Found second = search.apply(memories);
      assertThat(second.strategy).isEqualTo(SearchStrategy.HNSW);
      assertThat(second.ids).hasSameSizeAs(first.ids).isNotEmpty();
      assertThat(plans.take().lines())
          .anyMatch(line -> line.contains("using idx_cm_embedding on") && isExecuted(line));

      setValid(false, AMONG_ALL);
      Found third = search.apply(memories);
      assertThat(third.strategy).isEqualTo(SearchStrategy.EXACT);
      Found exact = search.apply(memories);
      assertThat(exact).isEqualTo(third);
      if (first.strategy == SearchStrategy.EXACT) {
        assertThat(first).isEqualTo(exact);
      }
      assertThat(plans.take()).doesNotContain("using idx_cm_embedding");

      setValid(true, BY_PROJECT, AMONG_ALL);
      assertThat(search.apply(memories).ids).isNotEmpty();
      assertThat(search.apply(memories).strategy).isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
    }
  }

  /** There are no rows for a sort by the coded embeddings, which would take longest of all. */
  private static void doesNotSortByCode(String plan) {
    boolean rows = true;
    for (String line : plan.lines().toList()) {
      rows = line.contains("(cost=") ? isExecuted(line) && !line.contains("(actual rows=0 ") : rows;
      assertThat(rows && line.contains("Sort Key") && line.contains("<#>")).as(plan).isFalse();
    }
  }

  private static boolean isExecuted(String line) {
    return !line.contains("never executed");
  }
}
