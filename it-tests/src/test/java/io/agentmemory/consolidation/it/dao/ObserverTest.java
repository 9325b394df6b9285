package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.direction;
import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.CallResult;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationObserver;
import io.agentmemory.consolidation.dao.DatabaseException;
import io.agentmemory.consolidation.dao.DuplicateIdException;
import io.agentmemory.consolidation.dao.JobEvent;
import io.agentmemory.consolidation.dao.JobHandler;
import io.agentmemory.consolidation.dao.JobLease;
import io.agentmemory.consolidation.dao.JobNotRetryableException;
import io.agentmemory.consolidation.dao.JobWorker;
import io.agentmemory.consolidation.dao.JobWorkerOptions;
import io.agentmemory.consolidation.dao.LoadOptions;
import io.agentmemory.consolidation.dao.MicrometerObserver;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.ObservedCall;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.dao.SearchStrategy;
import io.agentmemory.consolidation.dao.TriggerType;
import io.agentmemory.consolidation.dao.VectorQuery;
import io.agentmemory.consolidation.it.postgres.LogCapture;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What an observer is told, and what Micrometer makes of it. */
class ObserverTest {
  @RegisterExtension final TestDatabase database = TestDatabase.withDimensions(3);

  /** Keeps what it is told. */
  private static final class Told implements ConsolidationObserver {
    final List<ObservedCall> calls = new CopyOnWriteArrayList<>();
    final Map<JobEvent, Integer> events = new EnumMap<>(JobEvent.class);
    final CountDownLatch first = new CountDownLatch(1);
    final CountDownLatch ends = new CountDownLatch(3);

    @Override
    public void called(ObservedCall call) {
      calls.add(call);
    }

    @Override
    public synchronized void jobs(JobEvent event, int count) {
      events.merge(event, count, Integer::sum);
      if (event != JobEvent.CLAIMED) {
        first.countDown();
        ends.countDown();
      }
    }

    ObservedCall last() {
      return calls.get(calls.size() - 1);
    }
  }

  @Test
  void isToldOfOperationRowsStrategyAndResult() {
    Told told = new Told();
    Consolidation observed = database.consolidation().observedBy(told);

    observed
        .memories()
        .load(
            Stream.of("a", "b")
                .map(id -> memory("p", id).id(id).embedding(direction(3, 0)).build())
                .iterator(),
            LoadOptions.defaults());
    assertThat(told.last().operation()).isEqualTo("memories.load");
    assertThat(told.last().rows()).isEqualTo(2);
    assertThat(told.last().result()).isEqualTo(CallResult.SUCCESS);
    assertThat(told.last().elapsed()).isPositive();

    observed.memories().searchByVector("p", VectorQuery.of(direction(3, 0), 5));
    assertThat(told.last().operation()).isEqualTo("memories.searchByVector");
    assertThat(told.last().rows()).isEqualTo(2);
    assertThat(told.last().strategy()).isEqualTo(SearchStrategy.EXACT);

    observed.memories().find("p", "none");
    assertThat(told.last().rows()).isZero();

    observed.memories().export("p", memories -> memories.map(m -> m.id()).toList());
    assertThat(told.last().rows()).isNull();

    observed.jobs().enqueue(NewJob.builder("p", TriggerType.MANUAL).build());
    JobLease lease = observed.jobs().claim("p").orElseThrow().lease();
    JobLease lost = new JobLease("p", "none", lease.startedAt());
    observed.jobs().completeAll("p", Map.of(lease, "{}", lost, "{}"));
    assertThat(told.last().operation()).isEqualTo("jobs.completeAll");
    assertThat(told.last().rows()).isEqualTo(1);

    assertThatThrownBy(() -> observed.memories().insert(memory("p", "x").id("a").build()))
        .isInstanceOf(DuplicateIdException.class);
    assertThat(told.last().result()).isEqualTo(CallResult.REFUSED);
  }

  @Test
  void isToldOfTheProjectWhereACallIsOfOne() {
    Told told = new Told();
    Consolidation observed = database.consolidation().observedBy(told);

    observed.memories().insertAll(List.of(memory("p", "x").build(), memory("q", "y").build()));
    assertThat(told.last().project()).isNull();
    observed
        .memories()
        .load(
            List.of(memory("p", "x").build(), memory("q", "y").build()).iterator(),
            LoadOptions.defaults());
    assertThat(told.last().project()).isNull();
    observed.jobs().enqueue(job("a"));
    assertThat(told.last().project()).isEqualTo("p");
    observed.jobs().claimOfAllProjects(1);
    assertThat(told.last().project()).isNull();
    observed.taskMemories().unconsolidated("p", PageRequest.first(1));
    assertThat(told.last().project()).isEqualTo("p");
  }

  @Test
  void isToldOfFailuresOfTheDatabase() throws Exception {
    Told told = new Told();
    Consolidation observed = database.consolidation().observedBy(told);
    observed.memories().find("p", "a");
    database.execute("drop table consolidated_memories cascade");

    assertThatThrownBy(() -> observed.memories().find("p", "a"))
        .isInstanceOf(DatabaseException.class);

    assertThat(told.last().result()).isEqualTo(CallResult.FAILED);
    assertThat(told.last().sqlState()).isEqualTo("42P01");
  }

  @Test
  void anObserverThatThrowsHarmsNeitherTheCallNorOtherObservers() {
    Told told = new Told();
    ConsolidationObserver broken =
        new ConsolidationObserver() {
          @Override
          public void called(ObservedCall call) {
            throw new AssertionError("an observer that throws, as the test wants");
          }
        };
    Consolidation observed = database.consolidation().observedBy(broken).observedBy(told);

    observed.memories().insert(memory("p", "x").id("a").build());

    assertThat(observed.memories().find("p", "a")).isPresent();
    assertThat(told.calls).hasSize(2);
  }

  @Test
  void aWorkerTellsWhatBecomesOfJobs() throws Exception {
    Told told = new Told();
    Consolidation observed = database.consolidation().observedBy(told);
    for (String id : List.of("good", "bad", "hopeless")) {
      observed.jobs().enqueue(NewJob.builder("p", TriggerType.MANUAL).id(id).build());
    }

    try (JobWorker worker =
        JobWorker.start(
            observed,
            run -> {
              if (run.job().id().equals("bad")) {
                throw new IllegalStateException("as the test wants");
              }
              if (run.job().id().equals("hopeless")) {
                throw new JobNotRetryableException("as the test wants", null);
              }
            },
            JobWorkerOptions.defaults().withPollInterval(Duration.ofMillis(10)),
            null)) {
      assertThat(told.ends.await(30, TimeUnit.SECONDS)).isTrue();
      assertThat(worker.stop(Duration.ofSeconds(30))).isTrue();
    }

    assertThat(told.events)
        .isEqualTo(
            Map.of(
                JobEvent.CLAIMED, 3,
                JobEvent.COMPLETED, 1,
                JobEvent.RETRIED, 1,
                JobEvent.FAILED, 1));
  }

  @Test
  void aWorkerTellsAndLogsThatItHandsBackWhatIsNotDoneInTime() throws Exception {
    Told told = new Told();
    CountDownLatch runs = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    database.consolidation().jobs().enqueue(job("slow"));
    String log =
        LogCapture.of(
            () -> {
              JobWorker worker = worker(told, run -> await(runs, end));
              assertThat(runs.await(30, TimeUnit.SECONDS)).isTrue();
              assertThat(worker.stop(Duration.ofMillis(1))).isFalse();
            });
    end.countDown();

    assertThat(told.events).containsEntry(JobEvent.HANDED_BACK, 1);
    assertThat(log)
        .contains("INFO JobWorker - project=p concurrency=")
        .contains("INFO JobWorker - job=slow project=p retries=0 Handed a job back")
        .contains("INFO JobWorker - project=p allDone=false A job worker has stopped");
  }

  @Test
  void aWorkerTellsAndLogsThatAJobIsNoLongerItsOwn() throws Exception {
    Told told = new Told();
    database.consolidation().jobs().enqueue(job("taken"));
    String log =
        loggedByAWorker(told, run -> database.consolidation().jobs().cancel("p", run.job().id()));

    assertThat(told.events).isEqualTo(Map.of(JobEvent.CLAIMED, 1, JobEvent.LEASE_LOST, 1));
    assertThat(log)
        .contains("INFO JobWorker - job=taken project=p retries=0 A job is no longer this worker's")
        .contains("INFO JobWorker - project=p allDone=true A job worker has stopped");
  }

  @Test
  void aWorkerTellsAndLogsWhatItRescues() throws Exception {
    Told told = new Told();
    database.consolidation().jobs().enqueue(job("silent"));
    database.consolidation().jobs().claim("p");
    database.execute(
        "update consolidation_jobs set heartbeat_at = now() - interval '1 hour',"
            + " started_at = now() - interval '1 hour', created_at = now() - interval '1 hour'");
    String log = loggedByAWorker(told, run -> {});

    assertThat(told.events).containsEntry(JobEvent.RESCUED, 1);
    assertThat(log)
        .contains(
            "WARN JobWorker - job=silent project=p retries=1 status=PENDING"
                + " Rescued a job without a sign of life");
  }

  @Test
  void aWorkerLogsWhatATryFailedOf() throws Exception {
    Told told = new Told();
    database.consolidation().jobs().enqueue(job("bad"));
    String log =
        loggedByAWorker(
            told,
            run -> {
              throw new IllegalStateException("as the test wants");
            });

    assertThat(log)
        .containsPattern(
            "WARN JobWorker - job=bad project=p retries=0 status=PENDING elapsedMillis=\\d+ A try of"
                + " a job failed, and is repeated")
        .contains("java.lang.IllegalStateException: as the test wants");
  }

  /** What a worker logs until it has stopped, after the first job. */
  private String loggedByAWorker(Told told, JobHandler handler) throws Exception {
    return LogCapture.of(
        () -> {
          JobWorker worker = worker(told, handler);
          assertThat(told.first.await(30, TimeUnit.SECONDS)).isTrue();
          assertThat(worker.stop(Duration.ofSeconds(30))).isTrue();
        });
  }

  private static NewJob job(String id) {
    return NewJob.builder("p", TriggerType.MANUAL).id(id).build();
  }

  private JobWorker worker(Told told, JobHandler handler) {
    return JobWorker.start(
        database.consolidation().observedBy(told),
        handler,
        JobWorkerOptions.defaults()
            .withProject("p")
            .withPollInterval(Duration.ofMillis(10))
            .withLeaseTime(Duration.ofSeconds(2)));
  }

  private static void await(CountDownLatch runs, CountDownLatch end) {
    runs.countDown();
    boolean ended = false;
    while (!ended) {
      try {
        end.await();
        ended = true;
      } catch (InterruptedException now) {
        // a handler that does not listen
      }
    }
  }

  @Test
  void micrometerGetsTimersSummariesAndCounters() {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    MicrometerObserver observer = MicrometerObserver.of(registry);
    Consolidation observed = database.consolidation().observedBy(observer);

    observed.memories().insert(memory("p", "x").embedding(direction(3, 0)).build());
    observed.memories().searchByVector("p", VectorQuery.of(direction(3, 0), 5));
    observer.jobs(JobEvent.CLAIMED, 4);

    assertThat(
            registry
                .get("consolidation.dao.calls")
                .tags(
                    "operation", "memories.searchByVector",
                    "outcome", "success",
                    "strategy", "exact")
                .timer()
                .count())
        .isEqualTo(1);
    assertThat(
            registry
                .get("consolidation.dao.rows")
                .tag("operation", "memories.searchByVector")
                .summary()
                .totalAmount())
        .isEqualTo(1);
    assertThat(registry.get("consolidation.jobs").tag("event", "claimed").counter().count())
        .isEqualTo(4);
  }
}
