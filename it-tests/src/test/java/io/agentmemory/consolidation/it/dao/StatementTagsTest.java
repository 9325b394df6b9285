package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.direction;
import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.BatchQuery;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.FusedQuery;
import io.agentmemory.consolidation.dao.LoadOptions;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.OnConflict;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.dao.PairQuery;
import io.agentmemory.consolidation.dao.TextQuery;
import io.agentmemory.consolidation.dao.TriggerType;
import io.agentmemory.consolidation.dao.VectorQuery;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Statements begin with a comment that says what they are for. */
class StatementTagsTest {
  private static final String TAG = "'/\\* consolidation ([a-zA-Z.]+) \\*/'";

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

  @Test
  void pgStatStatementsTellsSearchesIngestAndJobsApart() throws SQLException {
    Assumptions.assumeTrue(
        Objects.equals(
            database.value(
                "select current_setting('shared_preload_libraries') like '%pg_stat_statements%'"),
            "t"),
        "the server does not preload pg_stat_statements");
    database.execute("create extension pg_stat_statements");

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
          .startsWith("/* consolidation jobs.statistics */ select count(*)");
      statement.execute("select 1");
      connection.rollback();
    }
  }
}
