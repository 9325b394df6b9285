package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationJob;
import io.agentmemory.consolidation.dao.ConsolidationObserver;
import io.agentmemory.consolidation.dao.JobEvent;
import io.agentmemory.consolidation.dao.JobHandler;
import io.agentmemory.consolidation.dao.JobStatus;
import io.agentmemory.consolidation.dao.JobWorker;
import io.agentmemory.consolidation.dao.JobWorkerOptions;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.TriggerType;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What becomes of a worker's jobs while its database or its executor lets it down. */
@Timeout(120)
class JobWorkerTroubleTest {
  private static final String P = "project";
  private static final Duration SOON = Duration.ofMillis(20);
  private static final Duration LEASE = Duration.ofSeconds(2);
  private static final JobWorkerOptions FAST =
      JobWorkerOptions.defaults()
          .withPollInterval(SOON)
          .withLeaseTime(LEASE)
          .withBackoff(SOON, SOON);

  @RegisterExtension
  final TestDatabase database = TestDatabase.with(TestDatabase.SMALL).withoutPool();

  private interface Condition {
    boolean holds() throws SQLException;
  }

  /** Fails by the test's time limit. */
  private static void until(Condition condition) throws Exception {
    while (!condition.holds()) {
      Thread.sleep(10);
    }
  }

  /** Asked before each connection is given; may wait, or throw. */
  private interface Gate {
    void pass() throws SQLException;
  }

  private Consolidation behind(Gate gate) {
    DataSource target = database.dataSource();
    DataSource guarded =
        (DataSource)
            Proxy.newProxyInstance(
                DataSource.class.getClassLoader(),
                new Class<?>[] {DataSource.class},
                (proxy, method, arguments) -> {
                  gate.pass();
                  try {
                    return method.invoke(target, arguments);
                  } catch (InvocationTargetException failure) {
                    throw failure.getCause();
                  }
                });
    return Consolidation.on(guarded, database.options());
  }

  private ConsolidationJob enqueue(int maxRetries) {
    return database
        .consolidation()
        .jobs()
        .enqueue(NewJob.builder(P, TriggerType.MANUAL).maxRetries(maxRetries).build());
  }

  private ConsolidationJob find(ConsolidationJob job) {
    return database.consolidation().jobs().find(P, job.id()).orElseThrow();
  }

  private void untilDone() throws Exception {
    until(
        () ->
            database
                .row(
                    "select count(*) from consolidation_jobs"
                        + " where status in ('pending', 'running')")
                .equals("0"));
  }

  private static JobHandler waitingFor(CountDownLatch begun, CountDownLatch end) {
    return run -> {
      begun.countDown();
      end.await();
    };
  }

  /** Heartbeats come back a little later than polls, so that these would find all jobs silent. */
  @Test
  void noJobIsRescuedBecauseTheDatabaseWasAwayForLongerThanTheLease() throws Exception {
    List<ConsolidationJob> all = List.of(enqueue(0), enqueue(0));
    CountDownLatch begun = new CountDownLatch(2);
    CountDownLatch end = new CountDownLatch(1);
    List<String> away = new CopyOnWriteArrayList<>();
    Consolidation consolidation =
        behind(
            () -> {
              if (away.contains(Thread.currentThread().getName())) {
                throw new SQLException("away, as the test wants", "08001");
              }
            });
    List<JobWorker> workers = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      workers.add(JobWorker.start(consolidation, waitingFor(begun, end), FAST.withConcurrency(2)));
    }
    try {
      begun.await();
      away.addAll(List.of("consolidation-worker", "consolidation-heartbeat"));
      until(() -> silentForALease() == 2);
      away.remove("consolidation-worker");
      Thread.sleep(LEASE.toMillis() / 4);
      away.remove("consolidation-heartbeat");
      until(() -> silentForALease() == 0);
      Thread.sleep(LEASE.toMillis());
      end.countDown();
      untilDone();
    } finally {
      end.countDown();
      workers.forEach(JobWorker::close);
    }
    assertThat(all).allMatch(job -> find(job).status() == JobStatus.COMPLETED);
  }

  private int silentForALease() throws SQLException {
    return Integer.parseInt(
        database.row(
            """
            select count(*) from consolidation_jobs
            where status = 'running'
              and heartbeat_at < clock_timestamp() - interval '%d ms'
            """
                .formatted(LEASE.toMillis())));
  }

  @Test
  void stoppingEndsInTimeThoughNoConnectionIsToBeHadAndCostsNoRetry() throws Exception {
    List<ConsolidationJob> all = List.of(enqueue(0), enqueue(0), enqueue(0), enqueue(0));
    CountDownLatch begun = new CountDownLatch(4);
    CountDownLatch pool = new CountDownLatch(1);
    CountDownLatch exhausted = new CountDownLatch(1);
    Consolidation consolidation =
        behind(
            () -> {
              if (exhausted.getCount() == 0) {
                await(pool);
              }
            });
    JobWorker worker =
        JobWorker.start(
            consolidation,
            waitingFor(begun, new CountDownLatch(1)),
            FAST.withLeaseTime(Duration.ofMinutes(10)));
    begun.await();
    exhausted.countDown();
    long start = System.nanoTime();
    assertThat(worker.stop(Duration.ofMillis(10))).isFalse();
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
    pool.countDown();
    until(() -> all.stream().allMatch(job -> find(job).status() == JobStatus.PENDING));
    until(() -> worker.stop(Duration.ofSeconds(1)));
    assertThat(all).allMatch(job -> find(job).status() == JobStatus.PENDING);
    assertThat(all).allMatch(job -> find(job).retryCount() == 0);
  }

  private static void await(CountDownLatch latch) {
    boolean interrupted = false;
    while (true) {
      try {
        latch.await();
        break;
      } catch (InterruptedException later) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void jobsThatAnExecutorKeepsWaitingHaveHeartbeatsToo() throws Exception {
    List<ConsolidationJob> all = List.of(enqueue(0), enqueue(0), enqueue(0));
    CountDownLatch end = new CountDownLatch(1);
    JobWorker worker =
        JobWorker.start(
            database.consolidation(),
            waitingFor(new CountDownLatch(1), end),
            FAST.withConcurrency(3),
            Runnable::run);
    try {
      until(
          () ->
              database
                  .row("select count(*) from consolidation_jobs where heartbeat_at > started_at")
                  .equals("3"));
    } finally {
      end.countDown();
      untilDone();
      worker.close();
    }
    assertThat(all).allMatch(job -> find(job).status() == JobStatus.COMPLETED);
  }

  @Test
  void aJobWhoseCompletionIsNotAnsweredCountsAsCompleted() throws Exception {
    ConsolidationJob job = enqueue(0);
    List<JobEvent> events = new CopyOnWriteArrayList<>();
    ConsolidationObserver observer =
        new ConsolidationObserver() {
          @Override
          public void jobs(JobEvent event, int count) {
            if (count > 0) {
              events.add(event);
            }
          }
        };
    CutConnections cut = new CutConnections(database.dataSource(), 2);
    Consolidation consolidation =
        Consolidation.on(cut.dataSource(), database.options()).observedBy(observer);
    JobWorker worker = JobWorker.start(consolidation, run -> {}, FAST, watched(cut));
    try {
      until(() -> events.contains(JobEvent.COMPLETED) || events.contains(JobEvent.LEASE_LOST));
    } finally {
      worker.close();
    }
    assertThat(cut.struck()).isTrue();
    assertThat(events).containsExactly(JobEvent.CLAIMED, JobEvent.COMPLETED);
    assertThat(find(job).status()).isEqualTo(JobStatus.COMPLETED);
  }

  /** Handlers' threads, whose first statement is here the one that completes the job. */
  private static Executor watched(CutConnections cut) {
    return work -> new Thread(() -> cut.watch(work)).start();
  }

  @Test
  void retriesWaitTwiceAsLongEachTimeUpToTheLongestWait() throws Exception {
    ConsolidationJob job = enqueue(10);
    JobWorker worker =
        JobWorker.start(
            database.consolidation(),
            run -> {
              throw new IllegalStateException("as the test wants");
            },
            FAST.withBackoff(Duration.ofHours(1), Duration.ofHours(5)));
    try {
      int tries = 0;
      for (int hours : new int[] {1, 2, 4, 5, 5}) {
        int retry = ++tries;
        until(() -> find(job).retryCount() == retry);
        assertThat(waitInHours()).isBetween(0.5 * hours - 0.1, 1.5 * hours);
        database.execute("update consolidation_jobs set run_after = null");
      }
    } finally {
      worker.close();
    }
  }

  private double waitInHours() throws SQLException {
    return Double.parseDouble(
        database.row(
            "select extract(epoch from run_after - clock_timestamp()) / 3600"
                + " from consolidation_jobs"));
  }
}
