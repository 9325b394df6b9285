package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.BatchQuery;
import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.FusedQuery;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.SearchResult;
import io.agentmemory.consolidation.dao.SearchStrategy;
import io.agentmemory.consolidation.dao.VectorHit;
import io.agentmemory.consolidation.dao.VectorQuery;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * 7,000 rows of the project {@code large} and 2,000 in the way. Of either, half the rows have the
 * tag and the pattern {@code common}, every thousandth of {@code large} the tag {@code rare, and
 * "quoted"} and the pattern {@code rare}; consolidated minute by minute.
 */
class RareFiltersTest {
  private static final int DIMENSIONS = 16;
  private static final String RARE = "rare, and \"quoted\"";
  private static final MemoryFilter NONE = MemoryFilter.none();
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  @RegisterExtension static final TestDatabase database = TestDatabase.withDimensions(DIMENSIONS);

  @BeforeAll
  static void fill() throws SQLException {
    database.fillWithoutHnsw(
        """
        select setseed(0.5);
        insert into consolidated_memories (id, project_id, content, memory_type,
          abstraction_level, source_memory_ids, embedding, tags, pattern_type, created_at,
          updated_at, consolidated_at, source_count)
        select 'm' || i, case when i < 7000 then 'large' else 'other' end, 'about indexes',
          'decision', 1, '{}',
          (select array_agg(random() - 0.5) from generate_series(1, %d) where i >= 0)::vector,
          array['t' || i %% 90] || case when i %% 2 = 0 then array['common'] end
            || case when i < 7000 and i %% 1000 = 8 then array['rare, and "quoted"'] end,
          case when i < 7000 and i %% 1000 = 9 then 'rare' when i %% 2 = 0 then 'common' end,
          now(), now(), '2026-01-01T00:00:00Z'::timestamptz + i * interval '1 minute', 0
        from generate_series(0, 8999) as i;
        """
            .formatted(DIMENSIONS));
  }

  private static Embedding near(int seed) {
    return Samples.embedding(DIMENSIONS, seed);
  }

  private static SearchResult<VectorHit> search(
      ConsolidatedMemoryDao memories, int seed, MemoryFilter filter) {
    return memories.searchByVector("large", VectorQuery.of(near(seed), 10).withFilter(filter));
  }

  private static List<String> ids(SearchResult<VectorHit> result) {
    return result.hits().stream().map(hit -> hit.memory().id()).toList();
  }

  /** Its own, since what one has seen it remembers for some seconds. */
  private static ConsolidatedMemoryDao memories(Connection connection) {
    return Consolidation.on(database.pool(), database.options()).joining(connection).memories();
  }

  private static List<String> scans(String plan) {
    return plan.lines()
        .filter(line -> line.contains("Scan") && !line.contains("never executed"))
        .toList();
  }

  private static Instant minute(int minute) {
    return START.plusSeconds(60L * minute);
  }

  private static MemoryFilter anyTag(String... tags) {
    return NONE.anyTag(List.of(tags));
  }

  private static MemoryFilter allTags(String... tags) {
    return NONE.allTags(List.of(tags));
  }

  private static MemoryFilter pattern(String... patterns) {
    return NONE.patternTypes(List.of(patterns));
  }

  /** Filters, how many rows pass, at most ten, and the index that serves them. */
  static Stream<Arguments> rare() {
    String tags = "idx_cm_tags";
    String patterns = "idx_cm_pattern";
    String times = "idx_cm_created";
    return Stream.of(
        Arguments.of(anyTag(RARE), 7, tags),
        Arguments.of(anyTag(RARE, "absent"), 7, tags),
        Arguments.of(anyTag("absent"), 0, tags),
        Arguments.of(allTags(RARE, "common"), 7, tags),
        Arguments.of(allTags("common", "absent"), 0, tags),
        Arguments.of(anyTag("common").allTags(List.of(RARE)), 7, tags),
        Arguments.of(anyTag(RARE).types(MemoryType.DECISION), 7, tags),
        Arguments.of(pattern("rare"), 7, patterns),
        Arguments.of(pattern("rare", "absent"), 7, patterns),
        Arguments.of(pattern("absent"), 0, patterns),
        Arguments.of(pattern("rare").from(minute(10)), 6, patterns),
        Arguments.of(NONE.from(minute(500)).to(minute(508)), 8, times),
        Arguments.of(NONE.to(minute(5)), 5, times),
        Arguments.of(NONE.from(minute(8000)), 0, times),
        Arguments.of(anyTag("common").from(minute(500)).to(minute(508)), 4, times));
  }

  @ParameterizedTest
  @MethodSource("rare")
  void the_rows_of_a_filter_that_hardly_any_passes_are_looked_up(
      MemoryFilter filter, int expected, String index) throws SQLException {
    try (Plans plans = new Plans(database.connect(""))) {
      ConsolidatedMemoryDao memories = memories(plans.connection());
      for (int i = 0; i < 4; i++) {
        SearchResult<VectorHit> found = search(memories, i, filter);
        assertThat(found.strategy()).isEqualTo(SearchStrategy.EXACT);
        assertThat(found.candidates()).isNull();
        List<String> scans = scans(plans.take());
        assertThat(scans).noneMatch(line -> line.contains("idx_cm_embedding"));
        assertThat(scans).anyMatch(line -> line.contains(index));
        assertThat(ids(found))
            .hasSize(expected)
            .isEqualTo(
                ids(
                    memories.searchByVector(
                        "large", VectorQuery.of(near(i), 10).withFilter(filter).exactly())));
        plans.take();
      }
    }
  }

  static List<MemoryFilter> common() {
    return List.of(
        anyTag("common"),
        anyTag(RARE, "common"),
        allTags("common"),
        anyTag("common").allTags(List.of("common")),
        pattern("common"),
        pattern("common", "rare"),
        NONE.from(minute(1000)),
        NONE.to(minute(6000)),
        anyTag("common").patternTypes(List.of("common")).from(minute(1000)));
  }

  @ParameterizedTest
  @MethodSource("common")
  void with_a_filter_that_many_rows_pass_the_index_of_the_projects_is_followed(MemoryFilter filter)
      throws SQLException {
    try (Plans plans = new Plans(database.connect(""))) {
      ConsolidatedMemoryDao memories = memories(plans.connection());
      for (int i = 0; i < 4; i++) {
        SearchResult<VectorHit> found = search(memories, i, filter);
        assertThat(found.strategy()).isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
        assertThat(found.hits()).hasSize(10);
        assertThat(scans(plans.take()))
            .anyMatch(line -> line.contains("idx_cm_embedding_project"))
            .noneMatch(line -> line.contains("idx_cm_tags"));
      }
    }
  }

  @Test
  void what_is_known_of_one_filter_does_not_hold_for_another() throws SQLException {
    try (Connection connection = database.connect("")) {
      ConsolidatedMemoryDao memories = memories(connection);
      for (int i = 0; i < 3; i++) {
        assertThat(search(memories, i, anyTag("common")).strategy())
            .isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
        assertThat(search(memories, i, anyTag(RARE)).strategy()).isEqualTo(SearchStrategy.EXACT);
        assertThat(search(memories, i, pattern("rare")).strategy()).isEqualTo(SearchStrategy.EXACT);
        assertThat(search(memories, i, NONE.minConfidence(0)).strategy())
            .isEqualTo(i == 0 ? SearchStrategy.HNSW_THEN_EXACT : SearchStrategy.EXACT);
        assertThat(search(memories, i, NONE).strategy()).isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
      }
    }
  }

  @Test
  void batches_and_fused_searches_choose_alike() throws SQLException {
    try (Connection connection = database.connect("")) {
      ConsolidatedMemoryDao memories = memories(connection);
      for (int i = 0; i < 2; i++) {
        assertThat(fused(memories, anyTag("common"))).isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
        assertThat(batch(memories, anyTag("common"), 10)).isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
        for (MemoryFilter filter : List.of(anyTag(RARE), pattern("rare"))) {
          assertThat(batch(memories, filter, 7)).isEqualTo(SearchStrategy.EXACT);
          assertThat(fused(memories, filter)).isEqualTo(SearchStrategy.EXACT);
        }
      }
    }
  }

  @Test
  void the_index_is_not_followed_again_where_it_cannot_give_enough() throws SQLException {
    MemoryFilter none = NONE.minConfidence(0.5);
    List<Function<ConsolidatedMemoryDao, SearchStrategy>> searches =
        List.of(
            memories -> search(memories, 1, none).strategy(),
            memories -> batch(memories, none, 0),
            memories -> fused(memories, none));
    for (Function<ConsolidatedMemoryDao, SearchStrategy> search : searches) {
      try (Plans plans = new Plans(database.connect(""))) {
        ConsolidatedMemoryDao memories = memories(plans.connection());
        for (int i = 0; i < 3; i++) { // a fused search does not know how many there are
          assertThat(search.apply(memories)).isNotNull();
        }
        plans.take();
        assertThat(search.apply(memories)).isEqualTo(SearchStrategy.EXACT);
        assertThat(scans(plans.take())).noneMatch(line -> line.contains("idx_cm_embedding"));
      }
    }
  }

  private static SearchStrategy batch(
      ConsolidatedMemoryDao memories, MemoryFilter filter, int expected) {
    List<SearchResult<VectorHit>> results =
        memories.searchByVectors(
            "large", List.of(near(1), near(2)), BatchQuery.of(10).withFilter(filter));
    assertThat(results).allSatisfy(result -> assertThat(result.hits()).hasSize(expected));
    return results.get(0).strategy();
  }

  private static SearchStrategy fused(ConsolidatedMemoryDao memories, MemoryFilter filter) {
    return memories
        .searchFused("large", FusedQuery.of("about indexes", near(1), 10).withFilter(filter))
        .strategy();
  }

  @Test
  void without_statistics_a_tag_counts_as_common_and_every_row_is_found() throws SQLException {
    try (Connection connection = database.pool().getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute(
          "delete from pg_statistic where starelid = 'consolidated_memories'::regclass");
      ConsolidatedMemoryDao memories = memories(connection);
      for (int i = 0; i < 3; i++) {
        assertThat(search(memories, i, anyTag("common")).strategy())
            .isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
        assertThat(search(memories, i, anyTag(RARE)).hits()).hasSize(7);
      }
      assertThat(search(memories, 1, pattern("rare")).strategy()).isEqualTo(SearchStrategy.EXACT);
      connection.rollback();
    }
  }

  @Test
  void a_tag_is_not_taken_for_rare_because_the_table_was_small_when_it_was_analysed()
      throws SQLException {
    try (Connection connection = database.pool().getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute(
          """
          update pg_class set relpages = relpages / 100, reltuples = reltuples / 100
          where oid = 'consolidated_memories'::regclass""");
      ConsolidatedMemoryDao memories = memories(connection);
      assertThat(search(memories, 1, anyTag("common")).strategy())
          .isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
      assertThat(search(memories, 1, anyTag(RARE)).strategy()).isEqualTo(SearchStrategy.EXACT);
      connection.rollback();
    }
  }
}
