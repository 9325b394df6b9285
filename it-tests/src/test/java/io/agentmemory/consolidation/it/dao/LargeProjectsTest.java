package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.FusedQuery;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.SearchResult;
import io.agentmemory.consolidation.dao.SearchStrategy;
import io.agentmemory.consolidation.dao.TextQuery;
import io.agentmemory.consolidation.dao.VectorHit;
import io.agentmemory.consolidation.dao.VectorQuery;
import io.agentmemory.consolidation.dao.WordMatch;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * 50,000 rows: 25,000 of the project {@code large}, 5,000 of {@code medium}, 1,500 of {@code small}
 * and the rest in the way, with the indexes of revision consolidation_001 alone. Clusters are not
 * those of the projects.
 */
class LargeProjectsTest {
  private static final int DIMENSIONS = 32;

  @RegisterExtension
  static final TestDatabase database =
      TestDatabase.withDimensions(DIMENSIONS).upTo("consolidation_001");

  @BeforeAll
  static void fill() throws SQLException {
    String index = database.value("select pg_get_indexdef('idx_cm_embedding'::regclass)");
    database.execute(
        """
        drop index idx_cm_embedding;
        select setseed(0.25);
        create table centre as
          select c, array(select random() - 0.5 from generate_series(1, %d) where c > 0) as v
          from generate_series(1, 300) as c;
        insert into consolidated_memories (id, project_id, content, memory_type,
          abstraction_level, source_memory_ids, embedding, tags, confidence_score, created_at,
          updated_at, consolidated_at, source_count)
        select 'm' || i,
          case when i <= 1500 then 'small' when i <= 6500 then 'medium'
            when i <= 31500 then 'large' else 'other' || i %% 5 end,
          'About ' || (array['indexes', 'locks', 'vectors', 'builds', 'tests'])[1 + i %% 5]
            || ' and topic' || i %% 997 || case when i %% 5000 = 1 then ' zanzibar' else '' end,
          'decision', 1 + i %% 3, '{}',
          (select array_agg(x + (random() - 0.5) * 0.6) from unnest(v) as x)::vector,
          array['t' || i %% 10] || case when i %% 5000 = 2 then array['rare'] end, i %% 100 / 100.0,
          now(), now(), now(), 0
        from generate_series(1, 50000) as i join centre on c = 1 + i * 7919::bigint %% 300;
        """
            .formatted(DIMENSIONS));
    database.execute("set max_parallel_maintenance_workers = 0; " + index);
    database.execute("vacuum analyze consolidated_memories");
  }

  /** Embeddings near stored ones of any project. */
  private static List<Embedding> queries(int count) throws SQLException {
    List<Embedding> queries = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String id = "m" + (1 + i * 48_611 % 50_000);
      Embedding stored =
          Embedding.of(
              floats(
                  database.value(
                      "select embedding from consolidated_memories where id = '" + id + "'")));
      float[] moved = stored.toArray();
      float[] noise = Samples.embedding(DIMENSIONS, i).toArray();
      for (int d = 0; d < DIMENSIONS; d++) {
        moved[d] += 0.02f * noise[d];
      }
      queries.add(Embedding.of(moved));
    }
    return queries;
  }

  private static float[] floats(String vector) {
    String[] texts = vector.substring(1, vector.length() - 1).split(",", -1);
    float[] values = new float[texts.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = Float.parseFloat(texts[i]);
    }
    return values;
  }

  /** What a search without this library finds, with or without the index. */
  private static List<String> plain(String project, Embedding query, boolean useIndex)
      throws SQLException {
    try (Connection connection = database.pool().getConnection()) {
      connection.setAutoCommit(false);
      connection
          .createStatement()
          .execute(useIndex ? "set local enable_sort = off" : "set local enable_indexscan = off");
      try (PreparedStatement search =
          connection.prepareStatement(
              """
              select id from consolidated_memories
              where project_id = ? and embedding is not null
              order by embedding <=> cast(? as vector) limit 10""")) {
        search.setString(1, project);
        search.setObject(2, query.toArray(), java.sql.Types.ARRAY);
        ResultSet rows = search.executeQuery();
        List<String> ids = new ArrayList<>();
        while (rows.next()) {
          ids.add(rows.getString(1));
        }
        connection.rollback();
        return ids;
      }
    }
  }

  private static List<String> ids(SearchResult<VectorHit> result) {
    return result.hits().stream().map(hit -> hit.memory().id()).toList();
  }

  private static double recall(List<String> found, List<String> exact) {
    Set<String> common = new HashSet<>(found);
    common.retainAll(exact);
    return (double) common.size() / exact.size();
  }

  @Test
  void a_project_of_1_500_among_50_000_gets_ten_of_ten_where_a_plain_query_gets_about_one()
      throws SQLException {
    int plain = 0;
    List<Embedding> queries = queries(20);
    for (Embedding query : queries) {
      plain += plain("small", query, true).size();
      SearchResult<VectorHit> result =
          database.memories().searchByVector("small", VectorQuery.of(query, 10));
      assertThat(ids(result)).isEqualTo(plain("small", query, false)).hasSize(10);
      assertThat(result.strategy()).isEqualTo(SearchStrategy.EXACT);
    }
    assertThat(plain / (double) queries.size())
        .as("rows of ten that a plain query over the index finds")
        .isLessThan(3);
  }

  @Test
  void larger_projects_get_ten_of_ten_by_the_index() throws SQLException {
    for (String project : List.of("medium", "large")) {
      double recall = 0;
      List<Embedding> queries = queries(20);
      for (Embedding query : queries) {
        SearchResult<VectorHit> result =
            database.memories().searchByVector(project, VectorQuery.of(query, 10));
        assertThat(result.hits()).hasSize(10);
        assertThat(result.hits().stream().map(VectorHit::distance)).isSorted();
        assertThat(result.hits()).allMatch(hit -> hit.memory().projectId().equals(project));
        assertThat(result.strategy()).isEqualTo(SearchStrategy.HNSW);
        recall += recall(ids(result), plain(project, query, false));
      }
      assertThat(recall / queries.size()).as("recall in %s", project).isGreaterThan(0.9);
    }
  }

  @Test
  void a_filter_that_few_rows_pass_still_gives_all_of_them() throws SQLException {
    MemoryFilter rare = MemoryFilter.none().anyTag(List.of("rare"));
    for (Embedding query : queries(5)) {
      SearchResult<VectorHit> five =
          database.memories().searchByVector("large", VectorQuery.of(query, 5).withFilter(rare));
      assertThat(five.hits()).hasSize(5);
      SearchResult<VectorHit> ten =
          database.memories().searchByVector("large", VectorQuery.of(query, 10).withFilter(rare));
      assertThat(ten.hits()).hasSize(5);
      assertThat(ten.hits()).allMatch(hit -> hit.memory().tags().contains("rare"));
      assertThat(ten.strategy()).isIn(SearchStrategy.HNSW_THEN_EXACT, SearchStrategy.EXACT);
    }
  }

  @Test
  void more_rows_than_the_index_gives_are_completed() throws SQLException {
    SearchResult<VectorHit> result =
        database.memories().searchByVector("medium", VectorQuery.of(queries(1).get(0), 10_000));
    assertThat(result.hits()).hasSize(5_000);
    assertThat(ids(result)).doesNotHaveDuplicates();
  }

  @Test
  void the_hnsw_strategy_uses_its_index_and_the_exact_one_does_not() throws SQLException {
    Embedding query = queries(1).get(0);
    try (Plans plans = new Plans(database.connect(""))) {
      ConsolidatedMemoryDao memories =
          database.consolidation().joining(plans.connection()).memories();

      memories.searchByVector("large", VectorQuery.of(query, 10));
      String large = plans.take();
      assertThat(scans(large)).anyMatch(line -> line.contains("idx_cm_embedding"));
      assertThat(scans(large))
          .noneMatch(line -> line.contains("Seq Scan on consolidated_memories"));

      memories.searchByVector("small", VectorQuery.of(query, 10));
      assertThat(scans(plans.take()))
          .anyMatch(line -> line.contains("idx_cm_project"))
          .noneMatch(line -> line.contains("idx_cm_embedding"));
    }
  }

  @Test
  void the_hnsw_strategy_uses_its_index_though_the_planner_knows_nothing_of_the_project()
      throws SQLException {
    try (Connection connection = database.pool().getConnection()) {
      connection.setAutoCommit(false);
      connection
          .createStatement()
          .execute(
              """
              delete from pg_statistic where starelid = 'consolidated_memories'::regclass;
              update pg_class set reltuples = 10, relpages = 1
              where oid = 'consolidated_memories'::regclass""");
      try (Plans plans = new Plans(connection)) {
        database
            .consolidation()
            .joining(plans.connection())
            .memories()
            .searchByVector("large", VectorQuery.of(queries(1).get(0), 10));
        assertThat(scans(plans.take())).anyMatch(line -> line.contains("idx_cm_embedding"));
        connection.rollback();
      }
    }
  }

  @Test
  void the_text_search_uses_its_index() throws SQLException {
    try (Plans plans = new Plans(database.connect(""))) {
      ConsolidatedMemoryDao memories =
          database.consolidation().joining(plans.connection()).memories();
      for (WordMatch match : WordMatch.values()) {
        memories.searchByText("large", TextQuery.of("topic123 zanzibar", 10).withMatch(match));
        assertThat(scans(plans.take())).anyMatch(line -> line.contains("idx_cm_content_tsv"));
      }
      memories.searchFused("large", FusedQuery.of("zanzibar", queries(1).get(0), 10));
      assertThat(scans(plans.take()))
          .anyMatch(line -> line.contains("idx_cm_content_tsv"))
          .anyMatch(line -> line.contains("idx_cm_embedding"));
    }
  }

  /** The scans of a plan that were carried out. */
  private static List<String> scans(String plan) {
    assertThat(plan).contains("Scan");
    return plan.lines()
        .filter(line -> line.contains("Scan") && !line.contains("never executed"))
        .toList();
  }

  @Test
  void the_thousandth_search_is_as_good_as_the_first() throws SQLException {
    List<Embedding> queries = queries(10);
    try (Plans plans = new Plans(database.connect(""))) {
      ConsolidatedMemoryDao memories =
          database.consolidation().joining(plans.connection()).memories();
      for (String project : List.of("small", "large")) {
        List<List<String>> first = new ArrayList<>();
        for (Embedding query : queries) {
          first.add(ids(memories.searchByVector(project, VectorQuery.of(query, 10))));
        }
        String plan = shape(plans.take());
        plans.pause();
        for (int i = queries.size(); i < 990; i++) {
          memories.searchByVector(project, VectorQuery.of(queries.get(i % 10), 10));
        }
        plans.resume();
        List<List<String>> last = new ArrayList<>();
        for (Embedding query : queries) {
          last.add(ids(memories.searchByVector(project, VectorQuery.of(query, 10))));
        }
        assertThat(last).isEqualTo(first);
        assertThat(shape(plans.take())).isEqualTo(plan);
      }
    }
  }

  /** A plan without what differs from run to run. */
  private static String shape(String plan) {
    return plan.lines()
        .filter(line -> line.contains("Scan"))
        .map(line -> line.replaceAll("\\(.*", ""))
        .distinct()
        .sorted()
        .reduce("", (a, b) -> a + "\n" + b);
  }

  @Test
  void filters_hold_in_every_search_of_a_large_project() throws SQLException {
    MemoryFilter filter =
        MemoryFilter.none().levels(AbstractionLevel.GENERALIZED).minConfidence(0.5);
    Embedding query = queries(1).get(0);
    ConsolidatedMemoryDao memories = database.memories();
    assertThat(
            memories.searchByVector("large", VectorQuery.of(query, 50).withFilter(filter)).hits())
        .hasSize(50)
        .allMatch(hit -> filtered(hit.memory()));
    assertThat(memories.searchByText("large", TextQuery.of("locks", 50).withFilter(filter)).hits())
        .hasSize(50)
        .allMatch(hit -> filtered(hit.memory()));
    assertThat(
            memories
                .searchFused("large", FusedQuery.of("locks", query, 50).withFilter(filter))
                .hits())
        .hasSize(50)
        .allMatch(hit -> filtered(hit.memory()));
  }

  private static boolean filtered(io.agentmemory.consolidation.dao.ConsolidatedMemory memory) {
    Double confidence = memory.confidence();
    return memory.abstractionLevel() == AbstractionLevel.GENERALIZED
        && confidence != null
        && confidence >= 0.5;
  }
}
