package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationObserver;
import io.agentmemory.consolidation.dao.JobRun;
import io.agentmemory.consolidation.dao.JobWorker;
import io.agentmemory.consolidation.dao.JobWorkerOptions;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.ObservedCall;
import io.agentmemory.consolidation.dao.TriggerType;
import io.agentmemory.consolidation.it.postgres.LogCapture;
import io.agentmemory.consolidation.it.postgres.RecordedSql;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How a worker says that its jobs are alive: for all of them together. */
@Timeout(120)
class HeartbeatTest {
  private static final String UPDATES =
      """
      select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables
      where relname = 'consolidation_jobs'""";
  private static final String BEATS = "select heartbeat_at from consolidation_jobs";

  @RegisterExtension final TestDatabase database = TestDatabase.with(TestDatabase.SMALL);

  private final Map<String, JobRun> runs = new ConcurrentHashMap<>();
  private final CountDownLatch end = new CountDownLatch(1);
  private @Nullable JobWorker started;

  /** The calls that heartbeats are, and when they ended. */
  private static final class Beats implements ConsolidationObserver {
    final List<ObservedCall> calls = new CopyOnWriteArrayList<>();
    final List<Long> ends = new CopyOnWriteArrayList<>();

    @Override
    public void called(ObservedCall call) {
      if (call.operation().startsWith("jobs.heartbeat")) {
        ends.add(System.nanoTime());
        calls.add(call);
      }
    }
  }

  private interface Condition {
    boolean holds() throws SQLException;
  }

  /** Fails by the test's time limit. */
  private static void until(Condition condition) throws Exception {
    while (!condition.holds()) {
      Thread.sleep(10);
    }
  }

  private void enqueue(int count) {
    for (int i = 0; i < count; i++) {
      database
          .consolidation()
          .jobs()
          .enqueue(NewJob.builder("p" + i % 10, TriggerType.MANUAL).id("j" + i).build());
    }
  }

  private static JobWorkerOptions options(int jobs, Duration lease) {
    return JobWorkerOptions.defaults()
        .withConcurrency(jobs)
        .withPollInterval(Duration.ofMillis(10))
        .withLeaseTime(lease);
  }

  /** A worker that has jobs, whose handlers do nothing but wait. */
  private JobWorker holding(Consolidation consolidation, int jobs, Duration lease)
      throws Exception {
    enqueue(jobs);
    started =
        JobWorker.start(
            consolidation,
            run -> {
              runs.put(run.job().id(), run);
              end.await();
            },
            options(jobs, lease),
            null);
    until(() -> runs.size() == jobs);
    return started;
  }

  @AfterEach
  void stopWhatATestLeft() {
    end.countDown();
    if (started != null) {
      started.stop(Duration.ofSeconds(10));
    }
  }

  private void stop(JobWorker worker) {
    end.countDown();
    assertThat(worker.stop(Duration.ofSeconds(60))).isTrue();
  }

  private String beat(String id) throws SQLException {
    return database.row(BEATS + " where id = '" + id + "'");
  }

  /** How many of the jobs have been beaten for since a time. */
  private int beatenSince(String time) throws SQLException {
    return database.rows(BEATS + " where heartbeat_at > '" + time + "'").size();
  }

  private String now() throws SQLException {
    return database.row("select clock_timestamp()");
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "20, 20", "50, 25"})
  void isOneStatementForFewJobsAndTwoForMany(int jobs, long ofOneStatement) throws Exception {
    Beats beats = new Beats();
    RecordedSql sql = new RecordedSql();
    Consolidation recorded =
        Consolidation.on(sql.of(database.dataSource()), database.options()).observedBy(beats);
    JobWorker worker = holding(recorded, jobs, Duration.ofSeconds(4));
    String claimed = now();
    int before = beats.calls.size() + 2; // those under way may not have all jobs yet
    until(() -> beats.calls.size() >= before + 4);
    assertThat(beats.calls.subList(before, before + 4))
        .allMatch(call -> call.operation().equals("jobs.heartbeatAll"))
        .allMatch(call -> call.project() == null)
        .allMatch(call -> call.rows() == ofOneStatement);
    assertThat(beatenSince(claimed)).isEqualTo(jobs);
    assertThat(sql.texts())
        .filteredOn(text -> text.contains("jobs.heartbeat"))
        .singleElement()
        .asString()
        .startsWith("with /* consolidation jobs.heartbeatAll */");
    assertThat(runs.values()).noneMatch(JobRun::isLost);
    stop(worker);
    assertThat(database.row("select sum(retry_count) from consolidation_jobs")).isEqualTo("0");
  }

  @Test
  void aJobThatIsLockedIsPassedByAndNotLost() throws Exception {
    JobWorker worker = holding(database.consolidation(), 5, Duration.ofSeconds(6));
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      TestDatabase.rows(connection, "select 1 from consolidation_jobs where id = 'j3' for update");
      String before = beat("j3");
      String locked = now();
      until(() -> beatenSince(locked) == 4);
      assertThat(beat("j3")).isEqualTo(before);
      connection.rollback();
      String free = now();
      until(() -> beatenSince(free) == 5);
    }
    assertThat(runs.values()).noneMatch(JobRun::isLost);
    stop(worker);
  }

  @Test
  void onlyARunWhoseJobWasCancelledIsTold() throws Exception {
    JobWorker worker = holding(database.consolidation(), 25, Duration.ofSeconds(4));
    database.consolidation().jobs().cancel("p7", "j17");
    until(runs.get("j17")::isLost);
    String told = now();
    until(() -> beatenSince(told) == 24);
    assertThat(runs.values()).filteredOn(JobRun::isLost).containsExactly(runs.get("j17"));
    stop(worker);
    assertThat(database.rows("select status, count(*) from consolidation_jobs group by 1"))
        .containsExactlyInAnyOrder("cancelled|1", "completed|24");
  }

  @Test
  void oneThatFailsLosesNoJobIsLoggedAndSoonTriedAgain() throws Exception {
    AtomicBoolean away = new AtomicBoolean();
    Beats beats = new Beats();
    Consolidation consolidation =
        Consolidation.on(unless(away, database.dataSource()), database.options()).observedBy(beats);
    Duration lease = Duration.ofSeconds(16);
    JobWorker worker = holding(consolidation, 30, lease);
    try (LogCapture log = LogCapture.start()) {
      away.set(true);
      int before = beats.calls.size();
      until(() -> beats.calls.size() >= before + 4); // of both halves, twice
      assertThat(Duration.ofNanos(beats.ends.get(before + 2) - beats.ends.get(before)))
          .isLessThan(lease.dividedBy(4));
      log.await("WARN JobHeart - sqlState=08001 runs=15 The heartbeat of jobs failed");
    }
    away.set(false);
    String back = now();
    until(() -> beatenSince(back) == 30);
    assertThat(runs.values()).noneMatch(JobRun::isLost);
    stop(worker);
    assertThat(database.rows("select distinct status, retry_count from consolidation_jobs"))
        .containsExactly("completed|0");
  }

  private static DataSource unless(AtomicBoolean away, DataSource target) {
    return (DataSource)
        Proxy.newProxyInstance(
            DataSource.class.getClassLoader(),
            new Class<?>[] {DataSource.class},
            (proxy, method, arguments) -> {
              if (away.get()) {
                throw new SQLException("away, as the test wants", "08001");
              }
              return method.invoke(target, arguments);
            });
  }

  /** Jobs that were claimed together fill their pages. */
  @Test
  void jobsThatFillTheirPagesSoonHaveRoomForBeatsThatTouchNoIndex() throws Exception {
    int jobs = 400;
    Beats beats = new Beats();
    enqueue(jobs);
    AtomicInteger begun = new AtomicInteger();
    started =
        JobWorker.start(
            database.consolidation().observedBy(beats),
            run -> {},
            options(jobs, Duration.ofSeconds(2)),
            run -> begun.incrementAndGet());
    until(() -> begun.get() == jobs);
    until(() -> beats.calls.size() >= 16);
    long[] before = updates();
    until(() -> updates()[0] >= before[0] + 8L * jobs);
    long[] after = updates();
    assertThat((double) (after[1] - before[1]) / (after[0] - before[0]))
        .as("share of updates that touched no index")
        .isGreaterThan(0.8);
    started.stop(Duration.ofMillis(1));
  }

  /** All updates, and those that touched no index. */
  private long[] updates() throws SQLException {
    return Stream.of(database.row(UPDATES).split("\\|")).mapToLong(Long::parseLong).toArray();
  }
}
