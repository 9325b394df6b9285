package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.direction;
import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.BatchQuery;
import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.DatabaseException;
import io.agentmemory.consolidation.dao.FusedQuery;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.dao.PairQuery;
import io.agentmemory.consolidation.dao.TextQuery;
import io.agentmemory.consolidation.dao.VectorQuery;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The settings that a search brings along are gone after it, and nothing else is changed. */
class SearchSettingsTest {
  private static final VectorQuery EAST = VectorQuery.of(direction(3, 0), 10);

  @RegisterExtension final TestDatabase database = TestDatabase.withDimensions(3);

  @BeforeEach
  void fill() {
    for (int i = 0; i < 20; i++) {
      database
          .memories()
          .insertAll(
              List.of(
                  memory("p", "red apples " + i).embedding(direction(3, i)).build(),
                  memory("q", "red apples " + i).embedding(direction(3, i)).build()));
    }
  }

  private static void searchInEveryWay(ConsolidatedMemoryDao memories) {
    assertThat(memories.searchByVector("p", EAST).hits()).hasSize(10);
    assertThat(memories.searchByText("p", TextQuery.of("apples", 10)).hits()).hasSize(10);
    assertThat(memories.searchFused("p", FusedQuery.of("apples", EAST.embedding(), 10)).hits())
        .hasSize(10);
    assertThat(memories.list("p", MemoryFilter.none(), PageRequest.first(10)).items()).hasSize(10);
    assertThat(
            memories
                .searchByVectors("p", List.of(EAST.embedding()), BatchQuery.of(10))
                .get(0)
                .hits())
        .hasSize(10);
    for (PairQuery query : List.of(PairQuery.of(0.5), PairQuery.of(0.5).exactly())) {
      assertThat(memories.similarPairs("p", query, PageRequest.first(10)).pairs()).isNotEmpty();
    }
    assertThat(memories.find("p", "nobody")).isEmpty();
  }

  private static Map<String, String> settings(Connection connection) throws SQLException {
    Map<String, String> settings = new TreeMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("select name, setting from pg_settings")) {
      while (rows.next()) {
        settings.put(rows.getString(1), String.valueOf(rows.getString(2)));
      }
    }
    return settings;
  }

  private static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  @Test
  void nothing_leaks_into_the_connection() throws SQLException {
    database.pool().getHikariConfigMXBean().setMaximumPoolSize(1);
    database.pool().getHikariPoolMXBean().softEvictConnections();
    searchInEveryWay(database.memories());
    Map<String, String> before;
    try (Connection connection = database.pool().getConnection()) {
      before = settings(connection);
    }
    for (int i = 0; i < 20; i++) {
      searchInEveryWay(database.memories());
    }
    try (Connection connection = database.pool().getConnection()) {
      assertThat(settings(connection)).isEqualTo(before);
      assertThat(connection.getAutoCommit()).isTrue();
    }
  }

  @Test
  void nothing_leaks_into_a_joined_transaction() throws SQLException {
    try (Connection connection = database.connect("")) {
      execute(connection, "load 'vector'; set hnsw.ef_search = 77; set enable_sort = on");
      Map<String, String> session = settings(connection);
      connection.setAutoCommit(false);
      execute(connection, "set local hnsw.ef_search = 55");
      execute(connection, "set local jit_above_cost = 12345; set local jit = on");
      Map<String, String> before = settings(connection);

      Consolidation joined = database.consolidation().joining(connection);
      for (int i = 0; i < 20; i++) {
        searchInEveryWay(joined.memories());
        assertThat(settings(connection)).isEqualTo(before);
      }
      connection.commit();
      assertThat(settings(connection)).isEqualTo(session);
    }
  }

  @Test
  void nothing_leaks_into_a_joined_transaction_of_a_connection_that_never_saw_a_vector()
      throws SQLException {
    try (Connection connection = database.connect("")) {
      connection.setAutoCommit(false);
      searchInEveryWay(database.consolidation().joining(connection).memories());
      Map<String, String> after = settings(connection);
      assertThat(after)
          .containsEntry("hnsw.ef_search", "40")
          .containsEntry("hnsw.iterative_scan", "off")
          .containsEntry("hnsw.max_scan_tuples", "20000")
          .containsEntry("plan_cache_mode", "auto")
          .containsEntry("enable_sort", "on");
      connection.rollback();
    }
  }

  @Test
  void a_search_that_fails_leaves_nothing_behind_once_it_is_rolled_back() throws SQLException {
    try (Connection connection = database.connect("")) {
      execute(connection, "load 'vector'");
      connection.setAutoCommit(false);
      Map<String, String> before = settings(connection);
      Savepoint savepoint = connection.setSavepoint();
      execute(connection, "set local work_mem = '64kB'");
      try (Connection other = database.connect("")) {
        execute(other, "begin; lock table consolidated_memories in access exclusive mode");
        assertThatThrownBy(
                () ->
                    database
                        .consolidation()
                        .joining(connection)
                        .withTimeout(Duration.ofMillis(300))
                        .memories()
                        .searchByVector("p", EAST))
            .isInstanceOf(DatabaseException.class);
      }
      connection.rollback(savepoint);
      assertThat(settings(connection)).isEqualTo(before);
      searchInEveryWay(database.consolidation().joining(connection).memories());
      connection.rollback();
    }
  }

  @Test
  void searches_work_in_read_only_transactions() throws SQLException {
    try (Connection connection = database.connect("")) {
      connection.setReadOnly(true);
      connection.setAutoCommit(false);
      searchInEveryWay(database.consolidation().joining(connection).memories());
      connection.rollback();
    }
    Consolidation replica =
        Consolidation.on(
            database.source("options=-c%20default_transaction_read_only=on"), database.options());
    searchInEveryWay(replica.memories());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "prepareThreshold=0",
        "prepareThreshold=1",
        "prepareThreshold=-1",
        "preferQueryMode=simple",
        "preferQueryMode=extendedForPrepared",
        "binaryTransfer=false",
        "autosave=always",
        "reWriteBatchedInserts=true",
        "defaultRowFetchSize=3",
        "options=-c%20plan_cache_mode=force_generic_plan",
        "options=-c%20enable_indexscan=off",
        "options=-c%20search_path=pg_catalog"
      })
  void searches_work_however_the_driver_and_the_server_are_set(String parameters)
      throws SQLException {
    try (Connection connection = database.connect(parameters)) {
      connection.setAutoCommit(false);
      ConsolidatedMemoryDao memories =
          database.consolidation().joining(connection).memories().withEmbeddings();
      for (int i = 0; i < 12; i++) {
        searchInEveryWay(memories);
      }
      assertThat(memories.searchByVector("p", EAST).hits().get(7).memory().embedding())
          .isEqualTo(direction(3, 7));
      memories.insertAll(
          List.of(memory("r", "a").embedding(direction(3, 1)).build(), memory("r", "b").build()));
      assertThat(memories.deleteProject("r", 1)).isEqualTo(2);
      connection.commit();
    }
  }
}
