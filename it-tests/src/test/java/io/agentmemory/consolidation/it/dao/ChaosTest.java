package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.zaxxer.hikari.HikariDataSource;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationJob;
import io.agentmemory.consolidation.dao.ConsolidationJobDao;
import io.agentmemory.consolidation.dao.JobRun;
import io.agentmemory.consolidation.dao.JobStatus;
import io.agentmemory.consolidation.dao.JobWorker;
import io.agentmemory.consolidation.dao.JobWorkerOptions;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.TriggerType;
import io.agentmemory.consolidation.it.postgres.PostgresServer;
import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import io.agentmemory.consolidation.schema.Schema;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Workers whose processes are killed and frozen, whose connections are cut, and whose server
 * crashes; the last only where the server is a throw-away cluster.
 */
@Timeout(900)
class ChaosTest {
  private static final Logger LOG = LoggerFactory.getLogger(ChaosTest.class);
  private static final int JOBS = Integer.getInteger("consolidation.chaos.jobs", 200);
  private static final long SEED = Long.getLong("consolidation.chaos.seed", 5);
  private static final int PROJECTS = 50;

  private PostgresServer server;
  private ScratchDatabase database;
  private HikariDataSource pool;
  private ConsolidationJobDao jobs;

  @BeforeEach
  void start() throws SQLException {
    assumeTrue(
        PostgresServer.shared().canCrash(), "only a throw-away cluster can be made to crash");
    server = PostgresServer.find(LOG::info);
    database = server.freshDatabase("chaos");
    Schema.on(database.dataSource(), TestDatabase.SMALL).upgrade();
    pool = new HikariDataSource();
    pool.setDataSource(database.dataSource());
    pool.setMaximumPoolSize(4);
    jobs = Consolidation.on(pool, TestDatabase.SMALL).jobs();
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          """
          create table written (job text, phase text);
          create table tried (job text);
          create table lost (job text)
          """);
    }
  }

  @AfterEach
  void end() {
    if (server != null) {
      pool.close();
      server.close();
    }
  }

  private List<String> rows(String sql) throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      return TestDatabase.rows(connection, sql);
    }
  }

  /** The number of jobs and the seed can be given as {@code consolidation.chaos.jobs} and seed. */
  @Test
  void everyJobEndsAndNoPhaseIsWrittenTwiceWhateverDies() throws Exception {
    for (int i = 0; i < JOBS; i++) {
      boolean doomed = i % 25 == 7;
      jobs.enqueue(
          NewJob.builder("p" + i % PROJECTS, TriggerType.MANUAL)
              .id((doomed ? WorkerProcess.DOOMED : "job") + i)
              .maxRetries(doomed ? i % 4 : 3 + i % 4)
              .build());
    }
    ChaosFaults faults = new ChaosFaults(server, database, JOBS, SEED);
    long start = System.nanoTime();
    try {
      faults.runUntilAllJobsHaveEnded();
      assertThat(faults.endWorkers()).as("exit codes").containsOnly(0);
    } finally {
      faults.close();
    }
    LOG.info(
        "{} jobs, seed {}: {} s, {}; by status, with retries: {}; tries: {}, leases lost: {}",
        JOBS,
        SEED,
        TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start),
        faults,
        rows("select status, count(*), sum(retry_count) from consolidation_jobs group by 1"),
        rows("select count(*) from tried"),
        rows("select count(*) from lost"));
    assertNothingLostAndNothingTwice();
    assertThat(faults.restarts()).isEqualTo(2);
    assertThat(faults.kills()).isPositive();
    assertThat(faults.terminations()).isPositive();
  }

  private void assertNothingLostAndNothingTwice() throws SQLException {
    assertThat(
            rows("select count(*) from consolidation_jobs where status in ('completed', 'failed')"))
        .containsExactly(String.valueOf(JOBS));
    assertThat(
            rows(
                """
                select id, status, retry_count, max_retries from consolidation_jobs
                where case status when 'failed' then retry_count <> max_retries
                  else retry_count > max_retries or id like 'doomed%' end
                """))
        .as("failed before or completed after their last retry")
        .isEmpty();
    assertThat(rows("select job, phase, count(*) from written group by 1, 2 having count(*) > 1"))
        .as("phases written twice")
        .isEmpty();
    assertThat(
            rows(
                """
                select id, phases, recorded from (
                  select id, coalesce(phases_completed, '{}')::text[] as recorded, metrics
                  from consolidation_jobs) as j
                left join (
                  select job, array_agg(phase order by phase) as phases from written group by 1
                ) as w on w.job = j.id
                where coalesce(phases, '{}') <> recorded
                  or (select coalesce(array_agg(k order by k), '{}') from jsonb_object_keys(metrics) k)
                    <> recorded
                """))
        .as("jobs whose phases, metrics and rows written are not the same")
        .isEmpty();
    assertThat(
            rows(
                "select id, cardinality(phases_completed) from consolidation_jobs where status = 'completed'"))
        .as("completed jobs and their phases")
        .allMatch(
            row -> {
              String[] columns = row.split("\\|", -1);
              return Integer.parseInt(columns[1]) == WorkerProcess.phases(columns[0]);
            });
    assertThat(
            rows(
                """
                select id, retry_count, count(*) from consolidation_jobs join tried on job = id
                group by 1, 2 having count(*) > retry_count + 1
                """))
        .as("tried more often than their retries say")
        .isEmpty();
  }

  @Test
  void aWorkerGoesOnAfterARestartOfTheDatabaseWithoutUsingUpARetry() throws Exception {
    CountDownLatch thinking = new CountDownLatch(1);
    CountDownLatch restarted = new CountDownLatch(1);
    ConsolidationJob before = jobs.enqueue(NewJob.builder("p", TriggerType.MANUAL).build());
    try (JobWorker worker =
        JobWorker.start(
            Consolidation.on(database.dataSource(), TestDatabase.SMALL),
            run -> think(run, thinking, restarted),
            JobWorkerOptions.defaults().withPollInterval(Duration.ofMillis(20)),
            null)) {
      thinking.await();
      server.crash();
      pool.getHikariPoolMXBean().softEvictConnections();
      restarted.countDown();
      ConsolidationJob after = jobs.enqueue(NewJob.builder("p", TriggerType.MANUAL).build());
      while (!completed(before) || !completed(after)) {
        Thread.sleep(10);
      }
      assertThat(worker.stop(Duration.ofSeconds(30))).isTrue();
    }
    assertThat(rows("select sum(retry_count) from consolidation_jobs")).containsExactly("0");
    assertThat(rows("select phase, count(*) from written group by 1")).containsExactly("think|2");
  }

  private static void think(JobRun run, CountDownLatch thinking, CountDownLatch restarted)
      throws Exception {
    run.phase(
        "think",
        () -> {
          thinking.countDown();
          restarted.await();
          return run.job().id();
        },
        (joined, connection, job) -> {
          try (Statement statement = connection.createStatement()) {
            statement.execute("insert into written values ('" + job + "', 'think')");
          }
          return "{}";
        });
  }

  private boolean completed(ConsolidationJob job) {
    return jobs.find(job.projectId(), job.id()).orElseThrow().status() == JobStatus.COMPLETED;
  }
}
