package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.direction;
import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.BatchQuery;
import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationJobDao;
import io.agentmemory.consolidation.dao.FusedQuery;
import io.agentmemory.consolidation.dao.LoadOptions;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.OnConflict;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.dao.PairQuery;
import io.agentmemory.consolidation.dao.TaskMemoryDao;
import io.agentmemory.consolidation.dao.TextQuery;
import io.agentmemory.consolidation.dao.TriggerType;
import io.agentmemory.consolidation.dao.VectorQuery;
import io.agentmemory.consolidation.it.postgres.RecordedSql;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Statements say in a comment what they are for. It stands after the first word, since {@code
 * pg_stat_statements} of PostgreSQL 18 leaves out what stands before.
 */
class StatementTagsTest {
  private static final String TAG = "'/\\* consolidation ([a-zA-Z.]+) \\*/'";
  private static final Pattern TAGGED =
      Pattern.compile("^[a-z]+ /\\* consolidation [a-zA-Z.]+ \\*/\\s");
  private static final Map<String, ProjectIsolationTest.Case> OF_ALL_PROJECTS =
      Map.of(
          "claimOfAllProjects", c -> c.jobs().claimOfAllProjects(1),
          "completeOfAllProjects",
              c ->
                  c.jobs()
                      .completeOfAllProjects(
                          Map.of(c.jobs().claim("mine").orElseThrow().lease(), "{}")),
          "pruneOfAllProjects", c -> c.jobs().pruneOfAllProjects(Duration.ofHours(1), 1),
          "rescueOfAllProjects", c -> c.jobs().rescueOfAllProjects(Duration.ofHours(1), 1),
          "statisticsOfAllProjects", c -> c.jobs().statisticsOfAllProjects());

  @RegisterExtension final TestDatabase database = TestDatabase.withDimensions(3);

  private static void use(Consolidation consolidation) {
    for (OnConflict onConflict : OnConflict.values()) {
      consolidation
          .memories()
          .load(
              List.of(
                      memory("p", "apples " + onConflict)
                          .embedding(direction(3, 1))
                          .id(onConflict.name())
                          .build())
                  .iterator(),
              LoadOptions.defaults().on(onConflict));
    }
    consolidation
        .memories()
        .insertAll(List.of(memory("p", "apples").embedding(direction(3, 2)).id("a").build()));
    VectorQuery vector = VectorQuery.of(direction(3, 0), 5);
    consolidation.memories().searchByVector("p", vector);
    consolidation.memories().searchByText("p", TextQuery.of("apples", 5));
    consolidation.memories().searchFused("p", FusedQuery.of("apples", direction(3, 0), 5));
    consolidation.memories().neighbours("p", List.of("a"), BatchQuery.of(3));
    consolidation.memories().similarPairs("p", PairQuery.of(0.9), PageRequest.first(5));
    consolidation.memories().list("p", MemoryFilter.none(), PageRequest.first(5));
    consolidation.jobs().enqueue(NewJob.builder("p", TriggerType.MANUAL).build());
    consolidation.jobs().claim("p", 1).forEach(job -> consolidation.jobs().heartbeat(job.lease()));
    consolidation.jobs().statistics("p");
  }

  static Stream<Named<ProjectIsolationTest.Case>> calls() {
    return Stream.concat(
            ProjectIsolationTest.CASES.entrySet().stream(), OF_ALL_PROJECTS.entrySet().stream())
        .sorted(Map.Entry.comparingByKey())
        .map(entry -> Named.of(entry.getKey(), entry.getValue()));
  }

  /** That each public method has a case is shown by {@link ProjectIsolationTest}. */
  @ParameterizedTest
  @MethodSource("calls")
  void saysInEveryStatementWhatItIsFor(ProjectIsolationTest.Case call) throws SQLException {
    ProjectIsolationTest.fill(database);
    RecordedSql sql = new RecordedSql();
    DataSource recorded = sql.of(database.scratch().dataSource());
    call.run(Consolidation.on(recorded, database.options()));
    assertThat(sql.texts())
        .flatMap(text -> List.of(text.split(";\n")))
        .filteredOn(text -> !text.contains("_history"))
        .isNotEmpty()
        .allSatisfy(text -> assertThat(text).containsPattern(TAGGED));
  }

  @Test
  void thereIsACaseForEveryMethodOfAllProjects() {
    assertThat(OF_ALL_PROJECTS.keySet())
        .containsExactlyInAnyOrderElementsOf(
            Stream.of(ConsolidationJobDao.class, ConsolidatedMemoryDao.class, TaskMemoryDao.class)
                .flatMap(dao -> Stream.of(dao.getMethods()))
                .map(Method::getName)
                .filter(name -> name.endsWith("OfAllProjects"))
                .toList());
  }

  @Test
  void pgStatStatementsTellsSearchesIngestAndJobsApart() throws SQLException {
    Assumptions.assumeTrue(
        Objects.equals(
            database.value(
                "select current_setting('shared_preload_libraries') like '%pg_stat_statements%'"),
            "t"),
        "the server does not preload pg_stat_statements");
    // Full of other tests' statements, it would make room by dropping those that ran once.
    database.execute("create extension pg_stat_statements; select pg_stat_statements_reset()");

    use(database.consolidation());

    String ours =
        """
        select distinct %s from pg_stat_statements
        where dbid = (select oid from pg_database where datname = current_database())
          and (query like '%%consolidated_memories%%' or query like '%%consolidation_jobs%%')
          and query !~* '(create|alter|comment|drop|lock|analyze) '
        """;
    assertThat(database.column(ours.formatted("substring(query from " + TAG + ")")))
        .doesNotContainNull()
        .contains(
            "search.vector",
            "search.text",
            "search.fused",
            "search.batch",
            "search.pairs",
            "ingest.load",
            "ingest.insert",
            "memories.list",
            "jobs.enqueue",
            "jobs.claim",
            "jobs.heartbeat",
            "jobs.statistics");
  }

  @Test
  void pgStatActivityShowsWhatASessionIsDoing() throws SQLException {
    try (Connection connection = database.pool().getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      Consolidation joined = database.consolidation().joining(connection);
      joined.memories().list("p", MemoryFilter.none(), PageRequest.first(5));
      int pid = connection.unwrap(org.postgresql.PGConnection.class).getBackendPID();
      joined.jobs().statistics("p");

      assertThat(database.value("select query from pg_stat_activity where pid = " + pid))
          .startsWith("select /* consolidation jobs.statistics */ count(*)");
      statement.execute("select 1");
      connection.rollback();
    }
  }
}
