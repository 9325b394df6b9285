package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.agentmemory.consolidation.dao.BatchQuery;
import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationJob;
import io.agentmemory.consolidation.dao.ConsolidationJobDao;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.FusedQuery;
import io.agentmemory.consolidation.dao.JobLease;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.SearchResult;
import io.agentmemory.consolidation.dao.SearchStrategy;
import io.agentmemory.consolidation.dao.TextQuery;
import io.agentmemory.consolidation.dao.TriggerType;
import io.agentmemory.consolidation.dao.VectorHit;
import io.agentmemory.consolidation.dao.VectorQuery;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** How often a call waits for the server, counted at the driver's sockets. */
class RoundTripsTest {
  private static final Embedding NEAR = Samples.embedding(NearbyRows.DIMENSIONS, 1);
  private static final MemoryFilter WARNINGS = MemoryFilter.none().types(MemoryType.WARNING);

  private static final Map<String, Consumer<ConsolidatedMemoryDao>> SEARCHES =
      Map.of(
          "by vector, large", dao -> dao.searchByVector("large", VectorQuery.of(NEAR, 10)),
          "by vector, small", dao -> dao.searchByVector("small", VectorQuery.of(NEAR, 10)),
          "by vector, filtered",
              dao -> dao.searchByVector("large", VectorQuery.of(NEAR, 10).withFilter(WARNINGS)),
          "by vector, exactly",
              dao -> dao.searchByVector("large", VectorQuery.of(NEAR, 10).exactly()),
          "by text", dao -> dao.searchByText("large", TextQuery.of("zero or blank", 10)),
          "fused", dao -> dao.searchFused("large", FusedQuery.of("zero or blank", NEAR, 10)),
          "several by vector",
              dao -> dao.searchByVectors("large", List.of(NEAR, NEAR), BatchQuery.of(10)),
          "neighbours", dao -> dao.neighbours("large", List.of("m301", "m302"), BatchQuery.of(10)));

  @RegisterExtension static final TestDatabase database = NearbyRows.database();

  private static HikariDataSource pool() {
    HikariConfig config = new HikariConfig();
    config.setDataSource(database.source("socketFactory=" + CountingSockets.class.getName()));
    config.setMaximumPoolSize(1);
    return new HikariDataSource(config);
  }

  private static Map<String, Integer> counted(ConsolidatedMemoryDao dao) {
    return SEARCHES.entrySet().stream()
        .collect(
            Collectors.toMap(
                Map.Entry::getKey,
                search -> {
                  for (int i = 0; i < 6; i++) {
                    search.getValue().accept(dao); // prepared on the server from the fifth on
                  }
                  int before = CountingSockets.roundTrips();
                  search.getValue().accept(dao);
                  return CountingSockets.roundTrips() - before;
                }));
  }

  @Test
  void every_search_is_one_by_a_pool_and_in_a_callers_transaction() throws SQLException {
    try (HikariDataSource pool = pool()) {
      Consolidation consolidation = Consolidation.on(pool, database.options());
      assertThat(counted(consolidation.memories()))
          .allSatisfy((name, count) -> assertThat(count).as(name).isEqualTo(1));
      try (Connection connection = pool.getConnection()) {
        connection.setAutoCommit(false);
        assertThat(counted(consolidation.joining(connection).memories()))
            .allSatisfy((name, count) -> assertThat(count).as(name).isEqualTo(1));
        connection.rollback();
      }
    }
  }

  @Test
  void only_the_first_search_is_two_where_the_rows_that_the_index_leads_to_were_deleted()
      throws SQLException {
    try (HikariDataSource pool = pool()) {
      Consolidation consolidation = Consolidation.on(pool, database.options());
      try (Connection connection = pool.getConnection();
          Statement statement = connection.createStatement()) {
        connection.setAutoCommit(false);
        ConsolidatedMemoryDao memories = consolidation.joining(connection).memories();
        VectorQuery query = VectorQuery.of(NEAR, 10);
        memories.searchByVector("large", query); // found to be large
        statement.execute(
            """
            delete from consolidated_memories where id in (
              select id from consolidated_memories
              where project_id = 'large' and embedding is not null and id <> 'zero'
              order by (embedding <=> '%s') + 0 limit 300)"""
                .formatted(Arrays.toString(NEAR.toArray())));
        List<Integer> roundTrips = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
          int before = CountingSockets.roundTrips();
          SearchResult<VectorHit> found = memories.searchByVector("large", query);
          roundTrips.add(CountingSockets.roundTrips() - before);
          assertThat(found.hits()).hasSize(10);
          assertThat(found.strategy()).isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
        }
        assertThat(roundTrips).containsExactly(2, 1, 1, 1);
        connection.rollback();
      }
    }
  }

  /** The calls of a worker, one job after the other. */
  private static Map<String, Integer> counted(ConsolidationJobDao jobs) {
    Map<String, Integer> counted = new HashMap<>();
    for (int i = 0; i < 6; i++) { // prepared on the server from the fifth on
      counted.clear();
      NewJob job = NewJob.builder("large", TriggerType.MANUAL).build();
      count(counted, "enqueue", () -> jobs.enqueue(job));
      jobs.enqueue(job);
      jobs.enqueue(job);
      ConsolidationJob one = count(counted, "claim", () -> jobs.claim("large", 1).get(0));
      JobLease lease = one.lease();
      count(counted, "heartbeat", () -> heartbeat(jobs, lease));
      count(counted, "recordPhase", () -> jobs.recordPhase(lease, "find", "{}"));
      count(counted, "complete", () -> jobs.complete(lease, "{}"));
      List<ConsolidationJob> two =
          count(counted, "claimOfAllProjects", () -> jobs.claimOfAllProjects(2));
      Map<JobLease, String> leases =
          two.stream().collect(Collectors.toMap(ConsolidationJob::lease, any -> "{}"));
      count(counted, "completeOfAllProjects", () -> jobs.completeOfAllProjects(leases));
    }
    return counted;
  }

  private static JobLease heartbeat(ConsolidationJobDao jobs, JobLease lease) {
    jobs.heartbeat(lease);
    return lease;
  }

  private static <T> T count(Map<String, Integer> counted, String name, Supplier<T> call) {
    int before = CountingSockets.roundTrips();
    T result = call.get();
    counted.put(name, CountingSockets.roundTrips() - before);
    return result;
  }

  @Test
  void every_call_of_a_worker_is_one_by_a_pool() {
    try (HikariDataSource pool = pool()) {
      assertThat(counted(Consolidation.on(pool, database.options()).jobs()))
          .hasSize(7)
          .allSatisfy((name, count) -> assertThat(count).as(name).isEqualTo(1));
    }
  }
}
