package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.InvalidInputException;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.SearchEffort;
import io.agentmemory.consolidation.dao.SearchResult;
import io.agentmemory.consolidation.dao.SearchStrategy;
import io.agentmemory.consolidation.dao.VectorHit;
import io.agentmemory.consolidation.dao.VectorQuery;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** 6,500 rows of the project {@code large}, 800 of {@code small}, and 2,700 in the way. */
class ProjectIndexTest {
  private static final int DIMENSIONS = 32;

  @RegisterExtension static final TestDatabase database = TestDatabase.withDimensions(DIMENSIONS);

  @BeforeAll
  static void fill() throws SQLException {
    database.fillWithoutHnsw(
        """
        select setseed(0.5);
        create table centre as
          select c, array(select random() - 0.5 from generate_series(1, %d) where c > 0) as v
          from generate_series(1, 100) as c;
        insert into consolidated_memories (id, project_id, content, memory_type,
          abstraction_level, source_memory_ids, embedding, tags, created_at, updated_at,
          consolidated_at, source_count)
        select 'm' || i,
          case when i <= 800 then 'small' when i <= 7300 then 'large' else 'other' || i %% 3 end,
          'x', 'decision', 1, '{}',
          (select array_agg(x + (random() - 0.5) * 0.6) from unnest(v) as x)::vector,
          case when i %% 2000 = 7 then array['rare'] end, now(), now(), now(), 0
        from generate_series(1, 10000) as i join centre on c = 1 + i * 7919::bigint %% 100;
        """
            .formatted(DIMENSIONS));
  }

  private static List<Embedding> queries(int count) {
    List<Embedding> queries = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String id = "m" + (1 + i * 4_861 % 10_000);
      String project = i * 4_861 % 10_000 < 800 ? "small" : "large";
      float[] values =
          database
              .memories()
              .withEmbeddings()
              .find(project, id)
              .map(memory -> memory.embedding())
              .orElse(Samples.embedding(DIMENSIONS, i))
              .toArray();
      float[] noise = Samples.embedding(DIMENSIONS, i).toArray();
      for (int d = 0; d < DIMENSIONS; d++) {
        values[d] += 0.02f * noise[d];
      }
      queries.add(Embedding.of(values));
    }
    return queries;
  }

  private static List<String> ids(SearchResult<VectorHit> result) {
    return result.hits().stream().map(hit -> hit.memory().id()).toList();
  }

  @Test
  void large_projects_are_searched_by_the_index_that_keeps_them_apart() {
    int common = 0;
    List<Embedding> queries = queries(30);
    for (Embedding query : queries) {
      SearchResult<VectorHit> found =
          database.memories().searchByVector("large", VectorQuery.of(query, 10));
      assertThat(found.strategy()).isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
      assertThat(found.candidates()).isEqualTo(64);
      assertThat(found.hits()).hasSize(10).allMatch(h -> h.memory().projectId().equals("large"));
      assertThat(found.hits().stream().map(VectorHit::distance)).isSorted();
      SearchResult<VectorHit> exact =
          database.memories().searchByVector("large", VectorQuery.of(query, 10).exactly());
      assertThat(exact.strategy()).isEqualTo(SearchStrategy.EXACT);
      assertThat(exact.candidates()).isNull();
      Set<String> both = new HashSet<>(ids(found));
      both.retainAll(ids(exact));
      common += both.size();
    }
    assertThat(common / 10.0 / queries.size()).as("recall").isGreaterThanOrEqualTo(0.97);
  }

  @Test
  void small_projects_are_searched_exactly() {
    for (Embedding query : queries(5)) {
      VectorQuery ten = VectorQuery.of(query, 10);
      SearchResult<VectorHit> found = database.memories().searchByVector("small", ten);
      assertThat(found.strategy()).isEqualTo(SearchStrategy.EXACT);
      assertThat(ids(found))
          .hasSize(10)
          .isEqualTo(ids(database.memories().searchByVector("small", ten.exactly())));
    }
  }

  @Test
  void each_way_scans_its_own_index_and_nothing_of_the_other_on_the_thousandth_search_too()
      throws SQLException {
    List<Embedding> queries = queries(10);
    try (Plans plans = new Plans(database.connect(""))) {
      ConsolidatedMemoryDao memories =
          database.consolidation().joining(plans.connection()).memories();
      for (String project : List.of("large", "small")) {
        List<String> first = new ArrayList<>();
        queries.forEach(
            q -> first.addAll(ids(memories.searchByVector(project, VectorQuery.of(q, 10)))));
        assertScans(project, plans.take(), true);
        plans.pause();
        for (int i = 10; i < 990; i++) {
          memories.searchByVector(project, VectorQuery.of(queries.get(i % 10), 10));
        }
        plans.resume();
        List<String> last = new ArrayList<>();
        queries.forEach(
            q -> last.addAll(ids(memories.searchByVector(project, VectorQuery.of(q, 10)))));
        assertScans(project, plans.take(), project.equals("small"));
        assertThat(last).isEqualTo(first);
      }
    }
  }

  /** A project that was found to be large is not looked at again for some seconds. */
  private static void assertScans(String project, String plan, boolean looks) {
    String byProject = "Index Scan using idx_cm_embedding_project on ";
    String cover = "Index Only Scan using idx_cm_project_cover on ";
    boolean large = project.equals("large");
    assertThat(plan.lines().filter(line -> line.contains(byProject)))
        .isNotEmpty()
        .allMatch(line -> line.contains("never executed") != large);
    assertThat(plan.lines().filter(line -> line.contains(cover)))
        .allMatch(line -> line.contains("never executed") == large);
    assertThat(plan.lines().filter(line -> line.contains("Scan using idx_cm_project on ")))
        .as("the look at the project's size")
        .allMatch(line -> line.contains("Index Only Scan"));
    if (looks) {
      assertThat(plan).contains(cover).contains("Scan using idx_cm_project on ");
    }
    assertThat(plan)
        .doesNotContain("Seq Scan on consolidated_memories")
        .doesNotContain("idx_cm_embedding on");
  }

  @Test
  void a_project_that_was_large_a_moment_ago_gives_all_that_is_left() throws SQLException {
    VectorQuery ten = VectorQuery.of(queries(1).get(0), 10);
    assertThat(database.memories().searchByVector("large", ten).strategy())
        .isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
    try (Connection connection = database.connect("")) {
      connection.setAutoCommit(false);
      ConsolidatedMemoryDao memories = database.consolidation().joining(connection).memories();
      for (String left : List.of("m729_", "m729[0-7]")) {
        try (Statement statement = connection.createStatement()) {
          statement.execute(
              "delete from consolidated_memories where project_id = 'large' and id not similar to '"
                  + left
                  + "'");
        }
        SearchResult<VectorHit> found = memories.searchByVector("large", ten);
        assertThat(ids(found))
            .hasSizeLessThanOrEqualTo(10)
            .isEqualTo(ids(memories.searchByVector("large", ten.exactly())));
      }
      connection.rollback();
    }
    database.execute("vacuum analyze consolidated_memories");
  }

  @Test
  void a_filter_that_few_rows_pass_gives_all_of_them() {
    MemoryFilter rare = MemoryFilter.none().anyTag(List.of("rare"));
    for (Embedding query : queries(3)) {
      VectorQuery ten = VectorQuery.of(query, 10).withFilter(rare);
      SearchResult<VectorHit> found = database.memories().searchByVector("large", ten);
      assertThat(found.hits()).hasSize(3);
      assertThat(found.strategy()).isEqualTo(SearchStrategy.EXACT);
      assertThat(ids(found))
          .isEqualTo(ids(database.memories().searchByVector("large", ten.exactly())));
    }
  }

  @Test
  void more_rows_than_the_index_gives_are_completed() {
    SearchResult<VectorHit> found =
        database
            .memories()
            .searchByVector(
                "large", VectorQuery.of(queries(1).get(0), 10_000).withEffort(SearchEffort.LOW));
    assertThat(ids(found)).hasSize(6_500).doesNotHaveDuplicates();
  }

  @Test
  void a_distance_cuts_the_nearest_and_the_result_says_so() {
    VectorQuery ten = VectorQuery.of(queries(1).get(0), 10);
    List<VectorHit> all = database.memories().searchByVector("large", ten).hits();
    double fourth = all.get(3).distance();
    SearchResult<VectorHit> cut =
        database.memories().searchByVector("large", ten.withMaxDistance(fourth));
    assertThat(cut.hits()).isEqualTo(all.subList(0, 4));
    assertThat(cut.cutByDistance()).isTrue();
    SearchResult<VectorHit> whole =
        database.memories().searchByVector("large", ten.withMaxDistance(2));
    assertThat(whole.hits()).isEqualTo(all);
    assertThat(whole.cutByDistance()).isFalse();
    SearchResult<VectorHit> none =
        database.memories().searchByVector("small", ten.withMaxDistance(0));
    assertThat(none.hits()).isEmpty();
    assertThat(none.cutByDistance()).isTrue();
  }

  @Test
  void effort_and_distance_are_checked() {
    assertThatThrownBy(() -> new SearchEffort(1_001))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("candidates must be between 1 and 1,000");
    VectorQuery query = VectorQuery.of(Embedding.of(1, 2), 1);
    for (double distance : new double[] {-0.1, 2.1, Double.NaN}) {
      assertThatThrownBy(() -> query.withMaxDistance(distance))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("maxDistance must be between 0");
    }
  }

  @Test
  void an_index_that_goes_or_comes_while_searches_run_changes_the_way_and_not_what_is_found()
      throws SQLException {
    String definition =
        database.value("select pg_get_indexdef('idx_cm_embedding_project'::regclass)");
    Consolidation consolidation = Consolidation.on(database.pool(), database.options());
    VectorQuery query = VectorQuery.of(queries(1).get(0), 10);
    List<String> exact = ids(consolidation.memories().searchByVector("large", query.exactly()));
    assertThat(consolidation.memories().searchByVector("large", query).strategy())
        .isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
    database.execute("drop index idx_cm_embedding_project");
    try {
      assertThat(ids(consolidation.memories().searchByVector("large", query))).isEqualTo(exact);
      assertThat(consolidation.memories().searchByVector("large", query).strategy())
          .isEqualTo(SearchStrategy.HNSW);
    } finally {
      database.execute(definition);
    }
    assertThat(consolidation.memories().searchByVector("large", query).hits()).hasSize(10);
    assertThat(consolidation.memories().searchByVector("large", query).strategy())
        .isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
  }
}
