package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.direction;
import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationFlow;
import io.agentmemory.consolidation.dao.ConsolidationObserver;
import io.agentmemory.consolidation.dao.DatabaseException;
import io.agentmemory.consolidation.dao.JobHandler;
import io.agentmemory.consolidation.dao.JobWorker;
import io.agentmemory.consolidation.dao.JobWorkerOptions;
import io.agentmemory.consolidation.dao.LoadOptions;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.ObservedCall;
import io.agentmemory.consolidation.dao.OnConflict;
import io.agentmemory.consolidation.dao.OnLineage;
import io.agentmemory.consolidation.dao.PairQuery;
import io.agentmemory.consolidation.dao.PartialLoadException;
import io.agentmemory.consolidation.dao.SlowCallLog;
import io.agentmemory.consolidation.dao.TriggerType;
import io.agentmemory.consolidation.dao.VectorQuery;
import io.agentmemory.consolidation.it.postgres.ForkedJvm;
import io.agentmemory.consolidation.it.postgres.LogCapture;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is logged, with which fields; of a worker that fares well, see {@link ObserverTest}. */
@Timeout(120)
class LogTest {
  private static final String SECRET = "what nobody else may read";
  private static final JobWorkerOptions FAST =
      JobWorkerOptions.defaults().withProject("p").withPollInterval(Duration.ofMillis(10));
  private static final String RENAME = "alter table consolidation_jobs rename to away";
  private static final String RENAME_BACK = "alter table away rename to consolidation_jobs";

  @RegisterExtension final TestDatabase database = TestDatabase.withDimensions(3);

  private static NewMemory secret(String id) {
    return memory("p", SECRET).id(id).embedding(direction(3, 0)).build();
  }

  private static Iterator<NewMemory> secrets(String... ids) {
    return Stream.of(ids).map(LogTest::secret).iterator();
  }

  private JobWorker worker(JobHandler handler, JobWorkerOptions options) {
    return JobWorker.start(database.consolidation(), handler, options, null);
  }

  private void enqueue(String id) {
    database.consolidation().jobs().enqueue(NewJob.builder("p", TriggerType.MANUAL).id(id).build());
  }

  @Test
  void aLoadTellsHowMuchAndHowLong() throws Exception {
    database.memories().insert(secret("b"));
    String log =
        LogCapture.of(
            () ->
                database
                    .memories()
                    .load(secrets("a", "b", "c"), LoadOptions.defaults().on(OnConflict.SKIP)));
    assertThat(log)
        .containsPattern(
            "INFO MemoryLoad - operation=memories.load read=3 inserted=2 skipped=1 replaced=0"
                + " elapsedMillis=\\d+ A load has ended")
        .doesNotContain(SECRET);
  }

  @Test
  void aLoadThatFailsTellsWhatIsCommittedAndTheSqlState() throws Exception {
    database.execute("alter table consolidated_memories add check (id <> 'c')");
    String log =
        LogCapture.of(
            () ->
                assertThatThrownBy(
                        () ->
                            database
                                .memories()
                                .load(
                                    secrets("a", "b", "c"), LoadOptions.defaults().commitEvery(2)))
                    .isInstanceOf(PartialLoadException.class));
    assertThat(log)
        .containsPattern(
            "WARN MemoryLoad - operation=memories.load read=2 inserted=2 skipped=0 replaced=0"
                + " elapsedMillis=\\d+ sqlState=23514 A load failed; the rest of it is not"
                + " committed")
        .doesNotContain(SECRET);
  }

  @Test
  void aCallThatTakesLongTellsItsRowsAndStrategyOrWhatItFailedOf() throws Exception {
    Consolidation watched =
        database.consolidation().observedBy(SlowCallLog.from(Duration.ofNanos(1)));
    database.memories().insert(secret("a"));
    String log =
        LogCapture.of(
            () -> {
              watched.memories().searchByVector("p", VectorQuery.of(direction(3, 0), 5));
              database.execute("drop table consolidated_memories cascade");
              assertThatThrownBy(() -> watched.memories().find("p", "a"))
                  .isInstanceOf(DatabaseException.class);
            });
    assertThat(log)
        .containsPattern(
            "WARN SlowCallLog - operation=memories.searchByVector project=p elapsedMillis=\\d+"
                + " result=SUCCESS rows=1 strategy=EXACT A call took long")
        .containsPattern(
            "WARN SlowCallLog - operation=memories.find project=p elapsedMillis=\\d+ result=FAILED"
                + " sqlState=42P01 A call took long")
        .doesNotContain(SECRET);
  }

  @Test
  void noCallThatIsQuickIsLogged() throws Exception {
    Consolidation watched =
        database.consolidation().observedBy(SlowCallLog.from(Duration.ofHours(1)));
    assertThat(LogCapture.of(() -> watched.memories().find("p", "a"))).isEmpty();
  }

  @Test
  void anObserverThatFailsIsNamed() throws Exception {
    Consolidation observed =
        database
            .consolidation()
            .observedBy(
                new ConsolidationObserver() {
                  @Override
                  public void called(ObservedCall call) {
                    throw new IllegalStateException("as the test wants");
                  }
                });
    assertThat(LogCapture.of(() -> observed.memories().find("p", "a")))
        .containsPattern(
            "WARN Observers - observer=\\S*LogTest\\S* An observer failed; the call is not affected")
        .contains("java.lang.IllegalStateException: as the test wants");
  }

  @Test
  void aFlowTellsWhichMemoriesItLeftOut() throws Exception {
    ConsolidationFlow flow = ConsolidationFlow.of(PairQuery.of(0.99), cluster -> Optional.empty());
    database.memories().insertAll(List.of(secret("a"), secret("b")));
    database.taskMemory("b", "p");
    assertThat(LogCapture.of(() -> flow.run(database.consolidation(), "p")))
        .contains("WARN FlowPass - project=p Left out memories")
        .contains(": \"b\"")
        .doesNotContain(SECRET);
  }

  @Test
  void aFlowTellsWhichClustersItSkippedAndWhy() throws Exception {
    ConsolidationFlow flow =
        ConsolidationFlow.of(
            PairQuery.of(0.99),
            cluster -> {
              database.memories().delete("p", "a", OnLineage.REFUSE);
              return Optional.of(
                  memory("p", SECRET).embedding(cluster.memories().get(0).embedding()).build());
            });
    database.memories().insertAll(List.of(secret("a"), secret("b")));
    assertThat(LogCapture.of(() -> flow.run(database.consolidation(), "p")))
        .containsPattern(
            "INFO FlowPass - project=p cluster=[0-9a-f]{32} Skipped a cluster: .*\"a\"")
        .doesNotContain(SECRET);

    database.memories().insert(secret("a"));
    enqueue("job");
    try (LogCapture log = LogCapture.start();
        JobWorker worker = worker(flow, FAST)) {
      log.await("INFO FlowPass - job=job project=p cluster=");
      assertThat(worker.stop(Duration.ofSeconds(30))).isTrue();
    }
  }

  @Test
  void aWorkerTellsThatItCannotClaim() throws Exception {
    database.execute(RENAME);
    try (LogCapture log = LogCapture.start();
        JobWorker worker = worker(run -> {}, FAST)) {
      log.await("WARN JobWorker - project=p sqlState=42P01 attempt=2 Jobs could not be claimed");
      database.execute(RENAME_BACK);
      assertThat(worker.stop(Duration.ofSeconds(30))).isTrue();
    }
    try (LogCapture log = LogCapture.start();
        JobWorker ofAll = worker(run -> {}, JobWorkerOptions.defaults())) {
      assertThat(ofAll.stop(Duration.ofSeconds(30))).isTrue();
      assertThat(log.text())
          .contains("INFO JobWorker - concurrency=")
          .contains("INFO JobWorker - allDone=true A job worker has stopped");
    }
  }

  @Test
  void aWorkerTellsThatHeartbeatsFailAndWhichJobsEndCouldNotBeWritten() throws Exception {
    enqueue("job");
    try (LogCapture log = LogCapture.start();
        JobWorker worker =
            worker(
                run -> {
                  database.execute(RENAME);
                  log.await("The heartbeat of jobs failed");
                },
                FAST.withLeaseTime(Duration.ofSeconds(1)))) {
      log.await("The end of a job could not be written");
      assertThat(log.text())
          .contains("WARN JobHeart - project=p sqlState=42P01 runs=1 The heartbeat of jobs failed")
          .containsPattern(
              "WARN JobWorker - job=job project=p retries=0 sqlState=42P01 attempt=\\d+ The end of a"
                  + " job could not be written");
      database.execute(RENAME_BACK);
      assertThat(worker.stop(Duration.ofSeconds(30))).isTrue();
    }
  }

  @Test
  void aWorkerTellsWhichJobItCouldNotHandBack() throws Exception {
    enqueue("job");
    CountDownLatch running = new CountDownLatch(1);
    String log =
        LogCapture.of(
            () -> {
              JobWorker worker =
                  worker(
                      run -> {
                        database.execute(RENAME);
                        running.countDown();
                        new CountDownLatch(1).await();
                      },
                      FAST);
              running.await();
              worker.stop(Duration.ofMillis(1));
            });
    assertThat(log)
        .contains(
            "WARN JobWorker - job=job project=p retries=0 sqlState=42P01 A job could not be handed"
                + " back: a rescue will");
  }

  @Test
  void aWorkerTellsWhichJobTheExecutorRefused() throws Exception {
    enqueue("job");
    AtomicInteger asked = new AtomicInteger();
    try (LogCapture log = LogCapture.start();
        JobWorker worker =
            JobWorker.start(
                database.consolidation(),
                run -> {},
                FAST,
                work -> {
                  if (asked.getAndIncrement() == 0) {
                    throw new RejectedExecutionException("as the test wants");
                  }
                  work.run();
                })) {
      log.await("INFO JobWorker - job=job project=p retries=0 Handed a job back");
      assertThat(log.text())
          .contains("WARN JobWorker - job=job project=p retries=0 The executor refused a job");
      assertThat(worker.stop(Duration.ofSeconds(30))).isTrue();
    }
  }

  @Test
  void whatIsOfNoInterestFromDayToDayIsLoggedAtTheLevelDebug() throws Exception {
    enqueue("job");
    database.execute(
        """
        create function cut() returns trigger language plpgsql as $$
          begin
            perform pg_terminate_backend(pg_backend_pid());
            return new;
          end $$;
        create trigger cut before insert on consolidation_jobs
          for each row when (new.id = 'cut') execute function cut()""");
    Process jvm =
        ForkedJvm.of(
                Debugged.class, database.scratch().server(), database.scratch().jdbcUrl(), "debug")
            .redirectErrorStream(true)
            .start();
    String log = new String(jvm.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(jvm.waitFor()).as(log).isZero();
    assertThat(log)
        .contains(
            "DEBUG MemoryLoad - operation=memories.load onConflict=FAIL commitEvery=0 A load begins")
        .contains("DEBUG JobWorker - job=job project=p retries=0 Claimed a job")
        .containsPattern(
            "DEBUG JobWorker - job=job project=p retries=0 elapsedMillis=\\d+ Completed a job")
        .contains(
            "DEBUG JobWorker - job=other project=p retries=0 A job was over before it could be")
        .contains("DEBUG OwnConnections - A connection could not be put back as it was")
        .contains("DEBUG OwnConnections - A connection could not be given back")
        .contains("java.sql.SQLException: not taken back, as the test wants")
        .doesNotContain(SECRET);
  }

  /** Its connections fail to be closed, as those of a pool do that cannot have them back. */
  private static DataSource takingNothingBack(DataSource target) {
    return proxy(DataSource.class, (method, arguments) -> lent(target.getConnection()));
  }

  private static Connection lent(Connection connection) {
    return proxy(
        Connection.class,
        (method, arguments) -> {
          Object result = method.invoke(connection, arguments);
          if (method.getName().equals("close")) {
            throw new SQLException("not taken back, as the test wants");
          }
          return result;
        });
  }

  private interface Answer {
    Object to(Method method, Object[] arguments) throws Exception;
  }

  private static <T> T proxy(Class<T> type, Answer answer) {
    return type.cast(
        Proxy.newProxyInstance(
            LogTest.class.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> answer.to(method, arguments)));
  }

  /** Loads, loses two connections, does the job, and ends one behind the worker's back. */
  static final class Debugged {
    private Debugged() {}

    public static void main(String[] arguments) throws Exception {
      Consolidation consolidation =
          Consolidation.on(ForkedJvm.dataSource(arguments), TestDatabase.SMALL);
      consolidation.memories().load(secrets("a"), LoadOptions.defaults());
      assertThatThrownBy(
              () ->
                  consolidation
                      .jobs()
                      .enqueue(NewJob.builder("p", TriggerType.MANUAL).id("cut").build()))
          .isInstanceOf(DatabaseException.class);
      Consolidation lent =
          Consolidation.on(takingNothingBack(ForkedJvm.dataSource(arguments)), TestDatabase.SMALL);
      lent.jobs().enqueue(NewJob.builder("p", TriggerType.MANUAL).id("other").build());
      assertThat(lent.jobs().find("p", "other")).isPresent();
      CountDownLatch over = new CountDownLatch(2);
      JobWorker worker =
          JobWorker.start(
              consolidation,
              run -> {
                if (run.job().id().equals("other")) {
                  consolidation.jobs().complete(run.job().lease(), "{}");
                  over.countDown();
                  new CountDownLatch(1).await();
                }
                over.countDown();
              },
              FAST.withConcurrency(2),
              null);
      over.await();
      while (consolidation.jobs().find("p", "job").orElseThrow().completedAt() == null) {
        Thread.sleep(10);
      }
      worker.stop(Duration.ofMillis(1));
    }
  }
}
