package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.SearchResult;
import io.agentmemory.consolidation.dao.SearchStrategy;
import io.agentmemory.consolidation.dao.VectorHit;
import io.agentmemory.consolidation.dao.VectorQuery;
import java.sql.SQLException;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * 7,000 rows of the project {@code large}, a tenth of them warnings, five discoveries and the rest
 * decisions, of three levels; 1,500 of {@code small} alike; and 1,500 in the way. Seven rows of
 * {@code large} have the tag {@code rare}.
 */
class FilteredSearchTest {
  private static final int DIMENSIONS = 16;
  private static final MemoryFilter NONE = MemoryFilter.none();
  private static final MemoryFilter WARNINGS = NONE.types(MemoryType.WARNING);
  private static final String HNSW = "Index Scan using idx_cm_embedding_project ";
  private static final String COVER = "Index Only Scan using idx_cm_project_cover ";
  private static final String TAGS = "Bitmap Index Scan on idx_cm_tags ";

  @RegisterExtension static final TestDatabase database = TestDatabase.withDimensions(DIMENSIONS);

  @BeforeAll
  static void fill() throws SQLException {
    database.fillWithoutHnsw(
        """
        select setseed(0.5);
        insert into consolidated_memories (id, project_id, content, memory_type,
          abstraction_level, source_memory_ids, embedding, tags, created_at, updated_at,
          consolidated_at, source_count, confidence_score)
        select 'm' || i,
          case when i <= 1500 then 'small' when i <= 8500 then 'large' else 'other' end, 'x',
          case when i %% 10 = 3 then 'warning' when i %% 1400 = 7 then 'discovery'
            else 'decision' end,
          1 + i / 10 %% 3, '{}',
          (select array_agg(random() - 0.5) from generate_series(1, %d) where i > 0)::vector,
          case when i %% 1000 = 7 then array['rare'] end, now(), now(),
          '2026-01-01'::timestamptz + i * interval '1 minute', 0, i %% 4 / 4.0
        from generate_series(1, 10000) as i;
        """
            .formatted(DIMENSIONS));
  }

  private static VectorQuery query(int seed, MemoryFilter filter) {
    return VectorQuery.of(Samples.embedding(DIMENSIONS, seed), 10).withFilter(filter);
  }

  private static List<String> ids(SearchResult<VectorHit> result) {
    return result.hits().stream().map(hit -> hit.memory().id()).toList();
  }

  /** Its own, since what one has seen of a project it remembers for some seconds. */
  private static ConsolidatedMemoryDao memories(Plans plans) {
    return Consolidation.on(database.pool(), database.options())
        .joining(plans.connection())
        .memories();
  }

  /** The lines on scans of an index that were executed. */
  private static List<String> executed(String plan, String index) {
    return plan.lines()
        .filter(line -> line.contains(index) && !line.contains("never executed"))
        .toList();
  }

  static List<MemoryFilter> ofFewRows() {
    return List.of(
        WARNINGS,
        NONE.types(MemoryType.DISCOVERY),
        NONE.types(MemoryType.WARNING, MemoryType.DISCOVERY),
        WARNINGS.levels(AbstractionLevel.CONCRETE),
        WARNINGS.from(Instant.parse("2026-01-04T00:00:00Z")));
  }

  @ParameterizedTest
  @MethodSource("ofFewRows")
  void the_few_rows_of_a_type_in_a_large_project_are_compared_where_they_are_together(
      MemoryFilter filter) throws SQLException {
    try (Plans plans = new Plans(database.connect(""))) {
      ConsolidatedMemoryDao memories = memories(plans);
      for (int i = 0; i < 20; i++) {
        SearchResult<VectorHit> found = memories.searchByVector("large", query(i, filter));
        assertThat(found.strategy()).isEqualTo(SearchStrategy.EXACT);
        String plan = plans.take();
        assertThat(executed(plan, HNSW)).isEmpty();
        assertThat(executed(plan, COVER)).hasSize(2);
        assertThat(plan).containsPattern("Index Cond: \\(\\(project_id = .* AND \\(+memory_type");
        assertThat(ids(found))
            .isNotEmpty()
            .isEqualTo(ids(memories.searchByVector("large", query(i, filter).exactly())));
        plans.take();
      }
    }
  }

  static List<MemoryFilter> ofManyRows() {
    return List.of(
        NONE.types(MemoryType.DECISION),
        NONE.levels(AbstractionLevel.CONCRETE, AbstractionLevel.PRINCIPLE),
        NONE.minConfidence(0.25),
        NONE.types(MemoryType.DECISION).minConfidence(0.25));
  }

  @ParameterizedTest
  @MethodSource("ofManyRows")
  void a_filter_that_many_rows_of_a_large_project_pass_follows_the_index_each_time(
      MemoryFilter filter) throws SQLException {
    try (Plans plans = new Plans(database.connect(""))) {
      ConsolidatedMemoryDao memories = memories(plans);
      int common = 0;
      for (int i = 0; i < 20; i++) {
        SearchResult<VectorHit> found = memories.searchByVector("large", query(i, filter));
        String plan = plans.take();
        assertThat(found.strategy()).isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
        assertThat(found.hits()).hasSize(10);
        assertThat(executed(plan, HNSW)).hasSize(1);
        Set<String> both = new HashSet<>(ids(found));
        both.retainAll(ids(memories.searchByVector("large", query(i, filter).exactly())));
        common += both.size();
        plans.take();
      }
      assertThat(common / 200.0).as("recall").isGreaterThanOrEqualTo(0.95);
    }
  }

  static List<MemoryFilter> any() {
    return Stream.of(ofFewRows(), ofManyRows(), List.of(NONE.anyTag(List.of("rare"))))
        .flatMap(List::stream)
        .toList();
  }

  @ParameterizedTest
  @MethodSource("any")
  void a_small_project_is_compared_whatever_the_filter(MemoryFilter filter) throws SQLException {
    try (Plans plans = new Plans(database.connect(""))) {
      ConsolidatedMemoryDao memories = memories(plans);
      for (int i = 0; i < 20; i++) {
        SearchResult<VectorHit> found = memories.searchByVector("small", query(i, filter));
        assertThat(found.strategy()).isEqualTo(SearchStrategy.EXACT);
        String plan = plans.take();
        assertThat(executed(plan, HNSW)).isEmpty();
        assertThat(plan.lines().filter(line -> line.contains("Seq Scan on consolidated_memories")))
            .isEmpty();
        assertThat(ids(found))
            .isEqualTo(ids(memories.searchByVector("small", query(i, filter).exactly())));
        plans.take();
      }
    }
  }

  /** The first statement is planned for any tags, so that it must not compare all rows. */
  @Test
  void a_tag_that_hardly_any_row_of_a_large_project_has_is_looked_up() throws SQLException {
    MemoryFilter rare = NONE.anyTag(List.of("rare"));
    try (Plans plans = new Plans(database.connect(""))) {
      ConsolidatedMemoryDao memories = memories(plans);
      for (int i = 0; i < 20; i++) {
        SearchResult<VectorHit> found = memories.searchByVector("large", query(i, rare));
        assertThat(found.strategy()).isEqualTo(SearchStrategy.EXACT);
        String plan = plans.take();
        assertThat(executed(plan, TAGS)).hasSize(1);
        assertThat(executed(plan, HNSW)).isEmpty();
        assertThat(ids(found))
            .hasSize(7)
            .isEqualTo(ids(memories.searchByVector("large", query(i, rare).exactly())));
        plans.take();
      }
    }
  }
}
