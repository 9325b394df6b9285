package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationJob;
import io.agentmemory.consolidation.dao.ConsolidationJobDao;
import io.agentmemory.consolidation.dao.JobStatus;
import io.agentmemory.consolidation.dao.JobWorker;
import io.agentmemory.consolidation.dao.JobWorkerOptions;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.TriggerType;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * How jobs are found among 20,000 that have ended, where the table was analysed before any was
 * running.
 */
class JobPlansTest {
  @RegisterExtension
  final TestDatabase database = TestDatabase.with(TestDatabase.SMALL).withoutPool();

  @BeforeEach
  void fill() throws SQLException {
    database.execute(
        """
        insert into consolidation_jobs (id, project_id, status, trigger_type, created_at)
        select 'j' || i, 'p' || i % 10, case when i > 20000 then 'pending' else 'completed' end,
          'manual', now() - i * interval '1 minute'
        from generate_series(1, 22000) as i
        """);
    database.execute("analyze consolidation_jobs");
  }

  private String plan(Consumer<ConsolidationJobDao> call) throws SQLException {
    try (Plans plans = new Plans(database.dataSource().getConnection())) {
      call.accept(database.consolidation().joining(plans.connection()).jobs());
      return plans.take("consolidation_jobs");
    }
  }

  @Test
  void writesUnderALeaseFindTheJobByItsId() throws SQLException {
    Consolidation consolidation = database.consolidation();
    List<ConsolidationJob> running = consolidation.jobs().claimOfAllProjects(500);
    ConsolidationJob one = running.get(0);
    for (String plan :
        List.of(
            plan(jobs -> jobs.recordPhase(one.lease(), "p", "{}")),
            plan(jobs -> jobs.heartbeat(one.lease())),
            plan(jobs -> jobs.fail(one.lease(), "e")),
            plan(jobs -> jobs.complete(running.get(1).lease(), "{}")))) {
      assertThat(plan).contains("using consolidation_jobs_pkey").doesNotContain("idx_cj_running");
    }
  }

  /** Also by the plan that the server keeps for all calls. */
  @ParameterizedTest
  @ValueSource(strings = {"force_custom_plan", "force_generic_plan"})
  @Timeout(120)
  void theHeartbeatOfAWorkerFindsEachJobByItsId(String planCacheMode) throws Exception {
    DataSource source = database.dataSource("-c plan_cache_mode=" + planCacheMode);
    List<Plans> connections = new CopyOnWriteArrayList<>();
    JobWorker worker =
        JobWorker.start(
            Consolidation.on(explained(source, connections), database.options()),
            run -> {},
            JobWorkerOptions.defaults().withConcurrency(500).withLeaseTime(Duration.ofSeconds(2)),
            neverDone -> {});
    List<String> beats = new ArrayList<>();
    try {
      while (beats.stream().noneMatch(plan -> plan.contains("loops=250"))) {
        Thread.sleep(10);
        connections.stream()
            .map(plans -> plans.take("jobs.heartbeatAll"))
            .filter(plan -> plan.contains("Function Scan on lease"))
            .forEach(beats::add);
      }
    } finally {
      worker.stop(Duration.ofMillis(1));
    }
    assertThat(beats)
        .allSatisfy(
            plan ->
                assertThat(plan)
                    .contains("using consolidation_jobs_pkey")
                    .doesNotContain("Seq Scan")
                    .doesNotContain("idx_cj"));
  }

  private static DataSource explained(DataSource target, List<Plans> connections) {
    return (DataSource)
        Proxy.newProxyInstance(
            DataSource.class.getClassLoader(),
            new Class<?>[] {DataSource.class},
            (proxy, method, arguments) -> {
              Plans plans = new Plans(target.getConnection());
              connections.add(plans);
              return plans.connection();
            });
  }

  @Test
  void claimsReadNoneThatHasEnded() throws SQLException {
    for (String plan :
        List.of(
            plan(jobs -> assertThat(jobs.claim("p1", 10)).hasSize(10)),
            plan(jobs -> assertThat(jobs.claimOfAllProjects(10)).hasSize(10)))) {
      assertThat(plan)
          .contains("using idx_cj_pending")
          .contains("consolidation_jobs_pkey")
          .doesNotContain("Seq Scan")
          .doesNotContain("Rows Removed by Filter: 2");
    }
  }

  @Test
  void aClaimThatGoesOnReadsNoMoreProjectsThanItTakesFrom() throws SQLException {
    try (Plans plans = new Plans(database.dataSource().getConnection())) {
      ConsolidationJobDao jobs = database.consolidation().joining(plans.connection()).jobs();
      assertThat(jobs.claimOfAllProjects(9)).hasSize(9);
      assertThat(plans.take("consolidation_jobs"))
          .containsPattern("Scan on walk .*actual rows=10(\\.00)? ");
      assertThat(jobs.claimOfAllProjects(9)).hasSize(9);
      assertThat(plans.take("consolidation_jobs"))
          .containsPattern("Scan on turns .*actual rows=3(\\.00)? ")
          .containsPattern("Index Cond: .*created_at\\) >= turns(_\\d)?\\.due")
          .contains("using idx_cj_pending")
          .contains("consolidation_jobs_pkey")
          .doesNotContain("Seq Scan");
    }
  }

  @Test
  void statisticsAreReadInOneScan() throws SQLException {
    assertThat(plan(jobs -> assertThat(jobs.statistics("p1").completed()).isEqualTo(2_000)))
        .containsOnlyOnce(" on consolidation_jobs")
        .contains("idx_cj_project");
  }

  /** With many active jobs when the table was analysed, and none since. */
  @Test
  void whetherAProjectHasAnActiveJobIsFoundWithoutReadingThoseThatHaveEnded() throws SQLException {
    database.execute("update consolidation_jobs set status = 'completed'");
    database.execute("vacuum consolidation_jobs");
    NewJob job = NewJob.builder("p1", TriggerType.MANUAL).build();
    try (Plans plans = new Plans(database.dataSource().getConnection())) {
      Connection connection = plans.connection();
      connection.setAutoCommit(false);
      Consolidation joined = database.consolidation().joining(connection);
      assertThat(joined.jobs().enqueueUnlessActive(job).status()).isEqualTo(JobStatus.PENDING);
      assertThat(plans.take("jobs.active"))
          .contains("consolidation_jobs")
          .doesNotContain("idx_cj_project_created")
          .doesNotContain("Seq Scan");
      connection.rollback();
    }
  }

  @Test
  void pruningReadsWhatIsOldAndNotWhatHasEndedSince() throws SQLException {
    database.execute("update consolidation_jobs set completed_at = created_at");
    database.execute("vacuum (analyze) consolidation_jobs");
    Duration age = Duration.ofMinutes(19_905); // older than this are some of the 20,000
    for (String plan :
        List.of(
            plan(jobs -> assertThat(jobs.prune("p1", age, 1_000)).isEqualTo(9)),
            plan(jobs -> assertThat(jobs.pruneOfAllProjects(age, 1_000)).isEqualTo(87)))) {
      assertThat(plan)
          .containsPattern("using idx_cj_(project_)?created")
          .doesNotContain("Seq Scan")
          .doesNotContainPattern("Rows Removed by Filter: \\d{5}");
    }
  }
}
