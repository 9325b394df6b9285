package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.zaxxer.hikari.HikariDataSource;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationJob;
import io.agentmemory.consolidation.dao.InvalidInputException;
import io.agentmemory.consolidation.dao.JobNotRetryableException;
import io.agentmemory.consolidation.dao.JobStatus;
import io.agentmemory.consolidation.dao.JobWorker;
import io.agentmemory.consolidation.dao.JobWorkerOptions;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.PhaseWrite;
import io.agentmemory.consolidation.dao.TriggerType;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

@Timeout(120)
class JobWorkerTest {
  private static final String P = "project";
  private static final Duration SOON = Duration.ofMillis(20);
  private static final JobWorkerOptions FAST =
      JobWorkerOptions.defaults()
          .withPollInterval(SOON)
          .withLeaseTime(Duration.ofSeconds(1))
          .withBackoff(SOON, SOON);

  @RegisterExtension
  final TestDatabase database = TestDatabase.with(TestDatabase.SMALL).withoutPool();

  private Consolidation consolidation;

  private interface Condition {
    boolean holds() throws SQLException;
  }

  /** Fails by the test's time limit. */
  private static void until(Condition condition) throws Exception {
    while (!condition.holds()) {
      Thread.sleep(10);
    }
  }

  @BeforeEach
  void open() throws SQLException {
    consolidation = database.consolidation();
    database.execute("create table written (job text, phase text)");
  }

  private ConsolidationJob enqueue(String project, int maxRetries) {
    return consolidation
        .jobs()
        .enqueue(NewJob.builder(project, TriggerType.MANUAL).maxRetries(maxRetries).build());
  }

  private ConsolidationJob find(ConsolidationJob job) {
    return consolidation.jobs().find(job.projectId(), job.id()).orElseThrow();
  }

  private static PhaseWrite<String> writing(String phase) {
    return (joined, connection, job) -> {
      try (var insert = connection.prepareStatement("insert into written values (?, ?)")) {
        insert.setString(1, job);
        insert.setString(2, phase);
        insert.executeUpdate();
      }
      return "{\"%s\": 1}".formatted(phase);
    };
  }

  private String unfinished() throws SQLException {
    return database.row(
        "select count(*) from consolidation_jobs where status in ('pending', 'running')");
  }

  @Test
  void doesJobsPhaseByPhaseWithoutDoingAnyTwice() throws Exception {
    ConsolidationJob job = enqueue(P, 3);
    AtomicInteger tries = new AtomicInteger();
    JobWorker worker =
        JobWorker.start(
            consolidation,
            run -> {
              run.phase("embed", run.job()::id, writing("embed"));
              if (tries.incrementAndGet() < 3) {
                throw new IllegalStateException("no luck");
              }
              run.phase("merge", run.job()::id, writing("merge"));
            },
            FAST,
            null);
    try {
      until(() -> find(job).status() == JobStatus.COMPLETED);
    } finally {
      worker.close();
    }
    assertThat(find(job).retryCount()).isEqualTo(2);
    assertThat(find(job).phasesCompleted()).containsExactly("embed", "merge");
    assertThat(find(job).metrics()).isEqualTo("{\"embed\": 1, \"merge\": 1}");
    assertThat(database.rows("select phase from written order by 1"))
        .containsExactly("embed", "merge");
  }

  @Test
  void failsAtOnceWhatIsNotRetryableAndTheRestAfterItsRetries() throws Exception {
    ConsolidationJob hopeless = enqueue("hopeless", 3);
    ConsolidationJob unlucky = enqueue("unlucky", 2);
    JobWorker worker =
        JobWorker.start(
            consolidation,
            run -> {
              if (run.job().projectId().equals("hopeless")) {
                throw new JobNotRetryableException("never", null);
              }
              throw new IllegalStateException("not now");
            },
            FAST,
            null);
    try {
      until(() -> unfinished().equals("0"));
    } finally {
      worker.close();
    }
    assertThat(find(hopeless).status()).isEqualTo(JobStatus.FAILED);
    assertThat(find(hopeless).retryCount()).isZero();
    assertThat(find(hopeless).errorMessage()).contains("never");
    assertThat(find(unlucky).status()).isEqualTo(JobStatus.FAILED);
    assertThat(find(unlucky).retryCount()).isEqualTo(2);
  }

  @Test
  void holdsNoConnectionWhileHandlersThinkAndLimitsHowManyDo() throws Exception {
    List<ConsolidationJob> jobs = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      jobs.add(enqueue("p" + i, 0));
    }
    CountDownLatch think = new CountDownLatch(1);
    AtomicInteger thinking = new AtomicInteger();
    JobWorker worker =
        JobWorker.start(
            consolidation,
            run ->
                run.phase(
                    "think",
                    () -> {
                      thinking.incrementAndGet();
                      think.await();
                      return run.job().id();
                    },
                    writing("think")),
            FAST.withConcurrency(3),
            null);
    try {
      until(() -> thinking.get() == 3);
      assertThat(
              database.row(
                  """
                  select count(*) from pg_stat_activity
                  where datname = current_database() and state like 'idle in transaction%'
                  """))
          .isEqualTo("0");
      Thread.sleep(1_500);
      assertThat(thinking.get()).isEqualTo(3);
      assertThat(database.row("select count(*) from consolidation_jobs where retry_count > 0"))
          .as("heartbeats kept the jobs from being rescued")
          .isEqualTo("0");
      think.countDown();
      until(() -> unfinished().equals("0"));
    } finally {
      worker.close();
    }
    assertThat(jobs).allMatch(job -> find(job).status() == JobStatus.COMPLETED);
  }

  @Test
  void aCancelInterruptsTheHandlerAndNothingIsWritten() throws Exception {
    ConsolidationJob job = enqueue(P, 3);
    CountDownLatch thinking = new CountDownLatch(1);
    CountDownLatch interrupted = new CountDownLatch(1);
    JobWorker worker =
        JobWorker.start(
            consolidation,
            run ->
                run.phase(
                    "think",
                    () -> {
                      thinking.countDown();
                      try {
                        new CountDownLatch(1).await();
                      } catch (InterruptedException gone) {
                        interrupted.countDown();
                      }
                      return run.job().id();
                    },
                    writing("think")),
            FAST,
            null);
    try {
      thinking.await();
      consolidation.jobs().cancel(P, job.id());
      interrupted.await();
    } finally {
      worker.close();
    }
    assertThat(find(job).status()).isEqualTo(JobStatus.CANCELLED);
    assertThat(database.row("select count(*) from written")).isEqualTo("0");
  }

  @Test
  void stoppingHandsBackWhatIsNotDoneInTime() throws Exception {
    ConsolidationJob job = enqueue(P, 3);
    CountDownLatch thinking = new CountDownLatch(1);
    JobWorker worker =
        JobWorker.start(
            consolidation,
            run -> {
              thinking.countDown();
              new CountDownLatch(1).await();
            },
            FAST,
            null);
    thinking.await();
    assertThat(worker.stop(Duration.ofMillis(300))).isFalse();
    assertThat(find(job).status()).isEqualTo(JobStatus.PENDING);
    assertThat(find(job).retryCount()).isZero();
    JobWorker next = JobWorker.start(consolidation, run -> {}, FAST, null);
    until(() -> find(job).status() == JobStatus.COMPLETED);
    assertThat(next.stop(Duration.ofSeconds(30))).isTrue();
  }

  @Test
  void aWorkerThatHasStoppedStopsAgainAtOnce() throws Exception {
    JobWorker idle = JobWorker.start(consolidation, run -> {}, FAST, null);
    assertThat(idle.stop(Duration.ofSeconds(30))).isTrue();
    enqueue(P, 3);
    CountDownLatch thinking = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    JobWorker busy =
        JobWorker.start(
            consolidation,
            run -> {
              thinking.countDown();
              boolean ended = false;
              while (!ended) {
                try {
                  end.await();
                  ended = true;
                } catch (InterruptedException ignored) {
                  // A handler that takes no notice.
                }
              }
            },
            FAST,
            null);
    thinking.await();
    assertThat(busy.stop(Duration.ofMillis(100))).isFalse();
    long start = System.nanoTime();
    assertThat(idle.stop(Duration.ofSeconds(60))).isTrue();
    assertThat(busy.stop(Duration.ofSeconds(60))).isFalse();
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
    end.countDown();
    until(() -> busy.stop(Duration.ofSeconds(60)));
  }

  @Test
  void handlersRunOnVirtualThreadsWhereThereAreSome() throws Exception {
    assumeTrue(
        Runtime.version().feature() >= 21,
        "virtual threads take Java 21, this is " + Runtime.version());
    ExecutorService virtual =
        (ExecutorService) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
    Method isVirtual = Thread.class.getMethod("isVirtual");
    for (int i = 0; i < 300; i++) {
      enqueue("p" + i % 5, 0);
    }
    CountDownLatch all = new CountDownLatch(200);
    try (HikariDataSource pool = new HikariDataSource()) {
      pool.setDataSource(database.dataSource());
      pool.setMaximumPoolSize(6);
      JobWorker worker =
          JobWorker.start(
              Consolidation.on(pool, database.options()),
              run ->
                  run.phase(
                      "think",
                      () -> {
                        all.countDown();
                        all.await();
                        return String.valueOf(isVirtual.invoke(Thread.currentThread()));
                      },
                      writing("think")),
              FAST.withConcurrency(200).withLeaseTime(Duration.ofSeconds(30)),
              virtual);
      try {
        until(() -> unfinished().equals("0"));
      } finally {
        worker.close();
        virtual.shutdown();
      }
    }
    assertThat(database.rows("select status, count(*) from consolidation_jobs group by 1"))
        .containsExactly("completed|300");
    assertThat(database.rows("select job, count(*) from written group by 1"))
        .as("whether on a virtual thread")
        .containsExactly("true|300");
  }

  @Test
  void aThreadThatHasDoneItsJobIsGivenTheNextAtOnce() throws Exception {
    for (int i = 0; i < 20; i++) {
      enqueue(P, 0);
    }
    JobWorkerOptions oneAtATime =
        JobWorkerOptions.defaults().withConcurrency(1).withPollInterval(Duration.ofMinutes(5));
    JobWorker worker = JobWorker.start(consolidation, run -> {}, oneAtATime, null);
    try {
      until(() -> unfinished().equals("0"));
    } finally {
      worker.close();
    }
  }

  @Test
  void takesOverFromAWorkerThatDied() throws Exception {
    ConsolidationJob job = enqueue(P, 1);
    assertThat(consolidation.jobs().claim(P)).isPresent();
    JobWorker worker = JobWorker.start(consolidation, run -> {}, FAST, null);
    try {
      until(() -> find(job).status() == JobStatus.COMPLETED);
    } finally {
      worker.close();
    }
    assertThat(find(job).retryCount()).isEqualTo(1);
  }

  @Test
  void aJobThatNoThreadCouldBeStartedForIsHandedBackAndDoneLater() throws Exception {
    List<ConsolidationJob> all = List.of(enqueue("a", 0), enqueue("b", 0), enqueue("c", 0));
    List<Throwable> failures =
        new ArrayList<>(
            List.of(
                new OutOfMemoryError("unable to create native thread, as the test wants"),
                new IllegalStateException("as the test wants")));
    JobWorker worker =
        JobWorker.start(
            consolidation,
            run -> {},
            FAST.withConcurrency(3),
            work -> {
              if (!failures.isEmpty()) {
                Throwable failure = failures.remove(0);
                if (failure instanceof Error error) {
                  throw error;
                }
                throw (RuntimeException) failure;
              }
              new Thread(work).start();
            });
    try {
      until(() -> unfinished().equals("0"));
    } finally {
      assertThat(worker.stop(Duration.ofSeconds(30))).as("no slot is lost").isTrue();
    }
    assertThat(all).allMatch(job -> find(job).status() == JobStatus.COMPLETED);
    assertThat(all).allMatch(job -> find(job).retryCount() == 0);
  }

  @Test
  void aJobThatWasGivenAwayBeforeItsTurnCameIsNotBegun() throws Exception {
    ConsolidationJob job = enqueue(P, 3);
    List<Runnable> queue = Collections.synchronizedList(new ArrayList<>());
    AtomicInteger begun = new AtomicInteger();
    JobWorker worker =
        JobWorker.start(consolidation, run -> begun.incrementAndGet(), FAST, queue::add);
    until(() -> queue.size() == 1);
    assertThat(worker.stop(Duration.ofMillis(10))).isFalse();
    assertThat(find(job).status()).isEqualTo(JobStatus.PENDING);
    queue.forEach(Runnable::run);
    assertThat(begun).hasValue(0);
    assertThat(worker.stop(Duration.ofMillis(10))).isTrue();
    assertThat(find(job).status()).isEqualTo(JobStatus.PENDING);
  }

  @Test
  void anInterruptThatAHandlerLeavesBehindKeepsNoJobFromBeingCompleted() throws Exception {
    ConsolidationJob job = enqueue(P, 3);
    try (HikariDataSource pool = new HikariDataSource()) {
      pool.setDataSource(database.dataSource());
      pool.setMaximumPoolSize(1);
      CountDownLatch ended = new CountDownLatch(1);
      JobWorker worker =
          JobWorker.start(
              Consolidation.on(pool, database.options()),
              run -> {
                Connection only = pool.getConnection();
                Thread release =
                    new Thread(
                        () -> {
                          try (only) {
                            Thread.sleep(300);
                          } catch (SQLException | InterruptedException e) {
                            throw new IllegalStateException(e);
                          }
                        });
                release.start();
                Thread.currentThread().interrupt();
                ended.countDown();
              },
              FAST.withConcurrency(1).withLeaseTime(Duration.ofMinutes(10)),
              null);
      ended.await();
      assertThat(worker.stop(Duration.ofSeconds(30))).isTrue();
    }
    assertThat(find(job).status()).isEqualTo(JobStatus.COMPLETED);
  }

  @Test
  void stoppingDoesNotWaitForWhoeverHoldsALockOfTheJob() throws Exception {
    ConsolidationJob job = enqueue(P, 3);
    CountDownLatch thinking = new CountDownLatch(1);
    CountDownLatch interrupted = new CountDownLatch(1);
    JobWorker worker =
        JobWorker.start(
            consolidation,
            run -> {
              thinking.countDown();
              try {
                new CountDownLatch(1).await();
              } finally {
                interrupted.countDown();
              }
            },
            FAST.withLeaseTime(Duration.ofMinutes(10)),
            null);
    thinking.await();
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      TestDatabase.rows(
          connection,
          "select 1 from consolidation_jobs where id = '%s' for update".formatted(job.id()));
      assertThat(worker.stop(Duration.ofMillis(10))).isFalse();
      interrupted.await();
      connection.rollback();
    }
  }

  /**
   * With a fixed seed: two workers, handlers that fail, and connections that are cut all along, one
   * after every few phases, so that a slow machine gets as far between two cuts as a fast one.
   */
  @Test
  void everyJobEndsAndNoPhaseIsWrittenTwiceWhileConnectionsAreCut() throws Exception {
    int count = 120;
    for (int i = 0; i < count; i++) {
      enqueue("p" + i % 7, 50);
    }
    AtomicInteger begun = new AtomicInteger();
    List<JobWorker> workers = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      workers.add(
          JobWorker.start(
              consolidation,
              run -> {
                Random chance = new Random(run.job().id().hashCode() + run.job().retryCount());
                for (String phase : List.of("a", "b", "c")) {
                  begun.incrementAndGet();
                  run.phase(phase, run.job()::id, writing(phase));
                  if (chance.nextInt(10) == 0) {
                    throw new IllegalStateException("by chance");
                  }
                }
              },
              FAST,
              null));
    }
    Random chance = new Random(5);
    int next = 1;
    try (Connection connection = database.dataSource().getConnection()) {
      while (!unfinishedOn(connection).equals("0")) {
        if (begun.get() >= next) {
          TestDatabase.rows(
              connection,
              """
              select pg_terminate_backend(pid) from pg_stat_activity
              where datname = current_database() and pid <> pg_backend_pid() limit 1
              """);
          next = begun.get() + 1 + chance.nextInt(3);
        }
        Thread.sleep(5);
      }
    } finally {
      workers.forEach(JobWorker::close);
    }
    assertThat(database.rows("select distinct status from consolidation_jobs"))
        .containsExactly("completed");
    assertThat(database.row("select count(*), count(distinct (job, phase)) from written"))
        .isEqualTo("%1$d|%1$d".formatted(count * 3));
  }

  private static String unfinishedOn(Connection connection) throws SQLException {
    return TestDatabase.rows(
            connection,
            "select count(*) from consolidation_jobs where status in ('pending', 'running')")
        .get(0);
  }

  @Test
  void refusesWhatCannotWork() throws SQLException {
    refuses(() -> FAST.withConcurrency(0));
    refuses(() -> FAST.withLeaseTime(Duration.ofMillis(999)));
    refuses(() -> FAST.withPollInterval(Duration.ZERO));
    refuses(() -> FAST.withBackoff(Duration.ofSeconds(-1), SOON));
    refuses(() -> FAST.withProject(""));
    try (Connection connection = database.dataSource().getConnection()) {
      Consolidation joined = consolidation.joining(connection);
      refuses(() -> JobWorker.start(joined, run -> {}));
    }
  }

  private static void refuses(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(InvalidInputException.class);
  }
}
