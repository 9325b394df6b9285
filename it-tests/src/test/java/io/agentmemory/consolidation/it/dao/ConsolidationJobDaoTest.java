package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.agentmemory.consolidation.dao.ConsolidationJob;
import io.agentmemory.consolidation.dao.ConsolidationJobDao;
import io.agentmemory.consolidation.dao.DatabaseException;
import io.agentmemory.consolidation.dao.DuplicateIdException;
import io.agentmemory.consolidation.dao.InvalidInputException;
import io.agentmemory.consolidation.dao.JobLease;
import io.agentmemory.consolidation.dao.JobStatus;
import io.agentmemory.consolidation.dao.LeaseLostException;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.Page;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.dao.PhaseAlreadyRecordedException;
import io.agentmemory.consolidation.dao.TriggerType;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ConsolidationJobDaoTest {
  private static final String P = "project";
  private static final String OTHER = "other project";

  @RegisterExtension
  final TestDatabase database = TestDatabase.with(TestDatabase.SMALL).withoutPool();

  private ConsolidationJobDao jobs;

  @BeforeEach
  void open() {
    jobs = database.consolidation().jobs();
  }

  private static NewJob.Builder job(String project) {
    return NewJob.builder(project, TriggerType.MANUAL);
  }

  private ConsolidationJob claimed() {
    jobs.enqueue(job(P).build());
    return jobs.claim(P).orElseThrow();
  }

  @Test
  void aJobGoesFromEnqueuedToCompleted() {
    ConsolidationJob pending =
        jobs.enqueue(job(P).scope("{\"since\": \"monday\"}").triggeredBy("ann").build());
    assertThat(pending.status()).isEqualTo(JobStatus.PENDING);
    assertThat(pending.id()).hasSize(36);
    assertThat(pending.scope()).isEqualTo("{\"since\": \"monday\"}");
    assertThat(pending.triggeredBy()).isEqualTo("ann");
    assertThat(pending.trigger()).isEqualTo(TriggerType.MANUAL);
    assertThat(pending.maxRetries()).isEqualTo(3);
    assertThat(pending.metrics()).isEqualTo("{}");
    assertThat(pending.startedAt()).isNull();

    ConsolidationJob running = jobs.claim(P).orElseThrow();
    assertThat(running.status()).isEqualTo(JobStatus.RUNNING);
    assertThat(running.id()).isEqualTo(pending.id());
    assertThat(running.startedAt()).isAfterOrEqualTo(pending.createdAt());
    assertThat(jobs.claim(P)).isEmpty();

    jobs.recordPhase(running.lease(), "cluster", "{\"clusters\": 4}");
    ConsolidationJob phased = jobs.recordPhase(running.lease(), "merge", "{\"merged\": 9}");
    assertThat(phased.phasesCompleted()).containsExactly("cluster", "merge");

    ConsolidationJob completed = jobs.complete(running.lease(), "{\"clusters\": 5}");
    assertThat(completed.status()).isEqualTo(JobStatus.COMPLETED);
    assertThat(completed.metrics()).isEqualTo("{\"merged\": 9, \"clusters\": 5}");
    assertThat(completed.completedAt()).isAfterOrEqualTo(completed.startedAt());
    assertThat(completed.duration()).isBetween(Duration.ZERO, Duration.ofMinutes(1));
    assertThat(jobs.find(P, pending.id())).contains(completed);
  }

  @Test
  void theDurationComesFromTheDatabasesClock() throws SQLException {
    ConsolidationJob running = claimed();
    database.execute(
        "update consolidation_jobs set started_at = started_at - interval '90.6 seconds'");
    ConsolidationJob moved = jobs.find(P, running.id()).orElseThrow();
    assertThat(jobs.complete(moved.lease(), "{}").duration()).isEqualTo(Duration.ofSeconds(91));
  }

  @Test
  void claimsTakeTheOldestFirstAndAtMostTheLimit() {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      ids.add(jobs.enqueue(job(P).build()).id());
    }
    assertThat(jobs.claim(P, 3)).extracting(ConsolidationJob::id).isEqualTo(ids.subList(0, 3));
    assertThat(jobs.claim(P, 3)).extracting(ConsolidationJob::id).isEqualTo(ids.subList(3, 5));
    assertThat(jobs.claim(P, 3)).isEmpty();
  }

  @Test
  void claimsAtTheSameTimeGetDifferentJobs() throws Exception {
    int workers = 6;
    int count = 200;
    for (int i = 0; i < count; i++) {
      jobs.enqueue(job(P).build());
    }
    CyclicBarrier start = new CyclicBarrier(workers);
    Callable<List<String>> worker =
        () -> {
          start.await();
          List<String> mine = new ArrayList<>();
          List<ConsolidationJob> got;
          do {
            got = jobs.claim(P, 3);
            got.forEach(job -> mine.add(job.id()));
          } while (!got.isEmpty());
          return mine;
        };
    List<String> all = new ArrayList<>();
    for (List<String> mine : inParallel(workers, worker)) {
      all.addAll(mine);
    }
    assertThat(all).doesNotHaveDuplicates().hasSize(count);
  }

  @Test
  void aClaimPassesByAJobThatAnotherClaimHolds() throws SQLException {
    String first = jobs.enqueue(job(P).build()).id();
    String second = jobs.enqueue(job(P).build()).id();
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      ConsolidationJobDao joined = database.consolidation().joining(connection).jobs();
      assertThat(joined.claim(P).orElseThrow().id()).isEqualTo(first);
      assertThat(jobs.claim(P).orElseThrow().id()).isEqualTo(second);
      connection.rollback();
    }
    assertThat(jobs.claim(P).orElseThrow().id()).isEqualTo(first);
  }

  @Test
  void aFailedTryIsPendingAgainUntilNoRetryIsLeft() {
    jobs.enqueue(job(P).maxRetries(2).build());
    Set<Instant> starts = new HashSet<>();
    for (int retry = 1; retry <= 2; retry++) {
      ConsolidationJob running = jobs.claim(P).orElseThrow();
      assertThat(starts.add(running.startedAt())).isTrue();
      jobs.recordPhase(running.lease(), "phase " + retry, "{}");
      ConsolidationJob again = jobs.fail(running.lease(), "no luck " + retry);
      assertThat(again.status()).isEqualTo(JobStatus.PENDING);
      assertThat(again.retryCount()).isEqualTo(retry);
      assertThat(again.errorMessage()).isEqualTo("no luck " + retry);
      assertThat(again.completedAt()).isNull();
      assertThat(again.duration()).isNull();
    }
    ConsolidationJob last = jobs.claim(P).orElseThrow();
    assertThat(last.phasesCompleted()).containsExactly("phase 1", "phase 2");
    ConsolidationJob failed = jobs.fail(last.lease(), "given up");
    assertThat(failed.status()).isEqualTo(JobStatus.FAILED);
    assertThat(failed.retryCount()).isEqualTo(2);
    assertThat(failed.completedAt()).isNotNull();
    assertThat(failed.duration()).isNotNull();
    assertThat(jobs.claim(P)).isEmpty();
  }

  @Test
  void aJobWithoutRetriesFailsAtOnce() {
    jobs.enqueue(job(P).maxRetries(0).build());
    ConsolidationJob failed = jobs.fail(jobs.claim(P).orElseThrow().lease(), "no");
    assertThat(failed.status()).isEqualTo(JobStatus.FAILED);
    assertThat(failed.retryCount()).isZero();
  }

  @Test
  void anErrorMessageIsMadeStorable() {
    ConsolidationJob failed = jobs.fail(claimed().lease(), "a\0b\uD800c" + "x".repeat(100_000));
    assertThat(failed.errorMessage()).startsWith("a\uFFFDb\uFFFDcx").hasSize(65_536);
  }

  @Test
  void aPhaseCanBeRecordedOnce() {
    ConsolidationJob running = claimed();
    jobs.recordPhase(running.lease(), "embed", "{\"n\": 1}");
    assertThatThrownBy(() -> jobs.recordPhase(running.lease(), "embed", "{\"n\": 2}"))
        .isInstanceOf(PhaseAlreadyRecordedException.class)
        .hasMessageContaining("embed");
    assertThat(jobs.find(P, running.id()).orElseThrow().metrics()).isEqualTo("{\"n\": 1}");
  }

  @Test
  void aLostLeaseRollsBackTheTransactionThatThePhaseIsIn() throws SQLException {
    ConsolidationJob running = claimed();
    database.execute("create table phase_data (n int)");
    assertThatThrownBy(
            () -> {
              try (Connection connection = database.dataSource().getConnection()) {
                connection.setAutoCommit(false);
                connection.createStatement().execute("insert into phase_data values (1)");
                jobs.cancel(P, running.id());
                database
                    .consolidation()
                    .joining(connection)
                    .jobs()
                    .recordPhase(running.lease(), "merge", "{}");
                connection.commit();
              }
            })
        .isInstanceOf(LeaseLostException.class);
    assertThat(database.row("select count(*) from phase_data")).isEqualTo("0");
    assertThat(jobs.find(P, running.id()).orElseThrow().phasesCompleted()).isEmpty();
  }

  @Test
  void aPhaseIsThereExactlyWhenItsDataIs() throws SQLException {
    ConsolidationJob running = claimed();
    database.execute("create table phase_data (n int)");
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      ConsolidationJobDao joined = database.consolidation().joining(connection).jobs();
      connection.createStatement().execute("insert into phase_data values (1)");
      joined.recordPhase(running.lease(), "merge", "{}");
      connection.rollback();
      assertThat(jobs.find(P, running.id()).orElseThrow().phasesCompleted()).isEmpty();
      connection.createStatement().execute("insert into phase_data values (1)");
      joined.recordPhase(running.lease(), "merge", "{}");
      connection.commit();
    }
    assertThat(jobs.find(P, running.id()).orElseThrow().phasesCompleted()).containsExactly("merge");
    assertThat(database.row("select count(*) from phase_data")).isEqualTo("1");
  }

  @Test
  void everyWriteNeedsTheLeaseOfTheLastClaim() {
    jobs.enqueue(job(P).build());
    JobLease old = jobs.claim(P).orElseThrow().lease();
    jobs.fail(old, "first try");
    refusesAllWrites(old);
    JobLease now = jobs.claim(P).orElseThrow().lease();
    refusesAllWrites(old);
    refusesAllWrites(new JobLease(OTHER, now.jobId(), now.startedAt()));
    refusesAllWrites(new JobLease(P, "another", now.startedAt()));
    refusesAllWrites(new JobLease(P, now.jobId(), now.startedAt().plusNanos(1_000)));
    assertThat(jobs.complete(now, "{}").status()).isEqualTo(JobStatus.COMPLETED);
    refusesAllWrites(now);
  }

  @Test
  void cancellingTakesTheLeaseAway() {
    JobLease lease = claimed().lease();
    ConsolidationJob cancelled = jobs.cancel(P, lease.jobId()).orElseThrow();
    assertThat(cancelled.status()).isEqualTo(JobStatus.CANCELLED);
    assertThat(cancelled.completedAt()).isNotNull();
    refusesAllWrites(lease);
  }

  private void refusesAllWrites(JobLease lease) {
    List<Consumer<JobLease>> writes =
        List.of(
            held -> jobs.heartbeat(held),
            held -> jobs.recordPhase(held, "phase", "{}"),
            held -> jobs.beginPhase(held, "phase", "{}"),
            held -> jobs.complete(held, "{}"),
            held -> jobs.fail(held, "error"),
            held -> jobs.failForGood(held, "error"),
            held -> jobs.release(held));
    for (Consumer<JobLease> write : writes) {
      assertThatThrownBy(() -> write.accept(lease)).isInstanceOf(LeaseLostException.class);
    }
    assertThat(jobs.completeAll(lease.projectId(), Map.of(lease, "{}"))).containsExactly(lease);
  }

  @Test
  void aClaimOfTheSameMicrosecondStillHasAnotherLease() throws SQLException {
    ConsolidationJob first = claimed();
    jobs.fail(first.lease(), "again");
    database.execute("update consolidation_jobs set started_at = now() + interval '1 hour'");
    Instant before = jobs.find(P, first.id()).orElseThrow().startedAt();
    assertThat(jobs.claim(P).orElseThrow().startedAt()).isEqualTo(before.plusNanos(1_000));
  }

  @ParameterizedTest
  @EnumSource(value = JobStatus.class, mode = EnumSource.Mode.EXCLUDE, names = "UNKNOWN")
  void noCallGoesAnIllegalWay(JobStatus status) throws SQLException {
    ConsolidationJob job = claimed();
    database.execute("update consolidation_jobs set status = '%s'".formatted(status.value()));
    JobLease lease = job.lease();
    if (status != JobStatus.RUNNING) {
      refusesAllWrites(lease);
    }
    if (status != JobStatus.PENDING) {
      assertThat(jobs.claim(P)).isEmpty();
    }
    boolean open = status == JobStatus.PENDING || status == JobStatus.RUNNING;
    assertThat(jobs.cancel(P, job.id()).isPresent()).isEqualTo(open);
    assertThat(database.row("select status from consolidation_jobs"))
        .isEqualTo(open ? "cancelled" : status.value());
  }

  @Test
  void onlyARunningJobHasALease() {
    ConsolidationJob pending = jobs.enqueue(job(P).build());
    assertThatThrownBy(pending::lease)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("pending");
  }

  @Test
  void listsInPagesNewestFirst() throws SQLException {
    for (int i = 0; i < 25; i++) {
      jobs.enqueue(job(P).id("job %02d / x".formatted(i)).build());
    }
    database.execute(
        """
        update consolidation_jobs
        set created_at = '2025-01-01 00:00:00+00'::timestamptz
          + interval '1 microsecond' * (substr(id, 5, 2)::int / 3)
        """);
    List<String> expected =
        database.rows("select id from consolidation_jobs order by created_at desc, id desc");
    List<String> listed = new ArrayList<>();
    PageRequest next = PageRequest.first(4);
    int pages = 0;
    while (next != null) {
      Page<ConsolidationJob> page = jobs.list(P, next);
      page.items().forEach(job -> listed.add(job.id()));
      next = page.next();
      pages++;
    }
    assertThat(listed).isEqualTo(expected);
    assertThat(pages).isEqualTo(7);
    assertThat(jobs.list(P, PageRequest.first(25)).next()).isNull();
  }

  @Test
  void listsByStatus() {
    jobs.enqueue(job(P).build());
    ConsolidationJob running = claimed();
    assertThat(jobs.list(P, JobStatus.RUNNING, PageRequest.first(10)).items())
        .containsExactly(running);
    assertThat(jobs.list(P, JobStatus.PENDING, PageRequest.first(10)).items()).hasSize(1);
    assertThat(jobs.list(P, JobStatus.FAILED, PageRequest.first(10)).items()).isEmpty();
  }

  @Test
  void anIdThatIsTakenIsRefusedWithoutTellingWhose() {
    jobs.enqueue(job(OTHER).id("taken").build());
    assertThatThrownBy(() -> jobs.enqueue(job(P).id("taken").build()))
        .isInstanceOf(DuplicateIdException.class)
        .hasMessageContaining("taken")
        .hasMessageNotContaining(OTHER);
    assertThat(jobs.find(OTHER, "taken")).isPresent();
  }

  @Test
  void anotherProjectsJobsAreAsIfTheyDidNotExist() {
    jobs.enqueue(job(OTHER).id("theirs").build());
    jobs.enqueue(job(OTHER).id("theirs too").build());
    JobLease theirs = jobs.claim(OTHER).orElseThrow().lease();
    assertThat(jobs.claim(P)).isEmpty();
    assertThat(jobs.claim(P, 10)).isEmpty();
    assertThat(jobs.find(P, "theirs")).isEmpty();
    assertThat(jobs.cancel(P, "theirs")).isEmpty();
    assertThat(jobs.cancel(P, "theirs too")).isEmpty();
    assertThat(jobs.list(P, PageRequest.first(10)).items()).isEmpty();
    assertThat(jobs.list(P, JobStatus.RUNNING, PageRequest.first(10)).items()).isEmpty();
    refusesAllWrites(new JobLease(P, theirs.jobId(), theirs.startedAt()));
    assertThat(jobs.complete(theirs, "{}").status()).isEqualTo(JobStatus.COMPLETED);
  }

  @Test
  void readsWhatOthersWrote() throws SQLException {
    database.execute(
        """
        alter table consolidation_jobs drop constraint consolidation_jobs_status_check,
          drop constraint consolidation_jobs_trigger_check;
        insert into consolidation_jobs (id, project_id, status, trigger_type, scope,
          phases_completed, metrics, created_at)
        values ('j', 'project', 'paused', 'webhook', null, null, null, now()),
          ('k', 'project', 'running', 'manual', null, null, null, now())
        """);
    database.execute("update consolidation_jobs set started_at = now() where id = 'k'");
    ConsolidationJob job = jobs.find(P, "j").orElseThrow();
    assertThat(job.status()).isEqualTo(JobStatus.UNKNOWN);
    assertThat(job.trigger()).isEqualTo(TriggerType.UNKNOWN);
    assertThat(job.scope()).isEqualTo("{}");
    assertThat(job.metrics()).isEqualTo("{}");
    assertThat(job.phasesCompleted()).isEmpty();
    JobLease lease = jobs.find(P, "k").orElseThrow().lease();
    assertThat(jobs.recordPhase(lease, "p", "{\"a\": 1}").phasesCompleted()).containsExactly("p");
    assertThat(jobs.complete(lease, "{\"b\": 2}").metrics()).isEqualTo("{\"a\": 1, \"b\": 2}");
  }

  @Test
  void aPhaseWithoutANameThatOthersWroteKeepsNoneFromBeingRecorded() throws SQLException {
    JobLease lease = claimed().lease();
    database.execute("update consolidation_jobs set phases_completed = array['a', null]");
    assertThatThrownBy(() -> jobs.recordPhase(lease, "a", "{}"))
        .isInstanceOf(PhaseAlreadyRecordedException.class);
    assertThat(jobs.recordPhase(lease, "b", "{}").phasesCompleted()).containsExactly("a", "b");
  }

  @Test
  void refusesTextThatIsNoId() {
    for (String bad : List.of("", "a\0b", "half \uD83D a pair", "\uDC00")) {
      refusesAsId(bad);
    }
  }

  private void refusesAsId(String bad) {
    refuses(() -> job(bad).build());
    refuses(() -> job(P).id(bad).build());
    refuses(() -> job(P).triggeredBy(bad).build());
    refuses(() -> jobs.claim(bad));
    refuses(() -> jobs.claim(bad, 1));
    refuses(() -> jobs.find(bad, "id"));
    refuses(() -> jobs.find(P, bad));
    refuses(() -> jobs.cancel(bad, "id"));
    refuses(() -> jobs.cancel(P, bad));
    refuses(() -> jobs.list(bad, PageRequest.first(1)));
    refuses(() -> jobs.list(P, new PageRequest(1, "2025-01-01T00:00:00Z/" + bad)));
    refuses(() -> new JobLease(bad, "id", Instant.now()));
    refuses(() -> new JobLease(P, bad, Instant.now()));
    refuses(() -> jobs.recordPhase(claimed().lease(), bad, "{}"));
  }

  @Test
  void refusesWhatIsTooLongOrOutOfRange() {
    String tooLong = "é".repeat(257);
    refuses(() -> job(tooLong).build());
    refuses(() -> job(P).id(tooLong).build());
    refuses(() -> job(P).triggeredBy("x".repeat(256)).build());
    refuses(() -> job(P).maxRetries(-1).build());
    refuses(() -> job(P).scope("{\"a\": \"" + "x".repeat(1 << 20) + "\"}").build());
    refuses(() -> jobs.claim(P, 0));
    refuses(() -> jobs.claim(P, 1_001));
    refuses(() -> jobs.list(P, new PageRequest(0, null)));
    refuses(() -> jobs.list(P, new PageRequest(10_001, null)));
    refuses(() -> jobs.list(P, new PageRequest(1, "yesterday")));
    refuses(() -> jobs.list(P, JobStatus.UNKNOWN, PageRequest.first(1)));
    refuses(() -> NewJob.builder(P, TriggerType.UNKNOWN).build());
    refuses(() -> new JobLease(P, "id", Instant.MAX));
    JobLease lease = claimed().lease();
    refuses(() -> jobs.recordPhase(lease, "x".repeat(256), "{}"));
    assertThat(jobs.enqueue(job("é".repeat(256)).id("é".repeat(256)).build()).id()).hasSize(256);
  }

  @SuppressWarnings("NullAway")
  @Test
  void refusesNull() {
    JobLease lease = claimed().lease();
    refuses(() -> job(null).build());
    refuses(() -> NewJob.builder(P, null).build());
    refuses(() -> job(P).scope(null).build());
    refuses(() -> jobs.enqueue(null));
    refuses(() -> jobs.claim(null));
    refuses(() -> jobs.find(P, null));
    refuses(() -> jobs.find(null, "id"));
    refuses(() -> jobs.cancel(null, "id"));
    refuses(() -> jobs.cancel(P, null));
    refuses(() -> jobs.list(null, PageRequest.first(1)));
    refuses(() -> jobs.list(P, null));
    refuses(() -> jobs.recordPhase(null, "p", "{}"));
    refuses(() -> jobs.recordPhase(lease, null, "{}"));
    refuses(() -> jobs.recordPhase(lease, "p", null));
    refuses(() -> jobs.complete(null, "{}"));
    refuses(() -> jobs.complete(lease, null));
    refuses(() -> jobs.fail(null, "e"));
    refuses(() -> jobs.fail(lease, null));
    refuses(() -> new JobLease(P, "id", null));
    assertThat(jobs.find(P, lease.jobId()).orElseThrow().status()).isEqualTo(JobStatus.RUNNING);
  }

  @Test
  void refusesWhatIsNoJsonObject() {
    JobLease lease = claimed().lease();
    for (String bad :
        List.of(
            "",
            " ",
            "[]",
            "1",
            "null",
            "\"{}\"",
            "{",
            "{} {}",
            "{a: 1}",
            "{'a': 1}",
            "{\"a\": 1,}",
            "{\"a\": 01}",
            "{\"a\": +1}",
            "{\"a\": .5}",
            "{\"a\": 1.}",
            "{\"a\": NaN}",
            "{\"a\": \"\\u0000\"}",
            "{\"a\": \"\\uD800\"}",
            "{\"a\": \"\\uDC00\\uD800\"}",
            "{\"a\": \"\\x\"}",
            "{\"a\": \"\n\"}",
            "{\"a\": 1e999999}",
            "{\"a\": 1E+0001000}",
            "{\"a\": 1e99999999999999999999}",
            "{\"a\": %s}".formatted("1".repeat(10_001)),
            "\uFEFF{}",
            "{\"a\": tru}",
            "{\"a\": [1,]}",
            "{\"a\" 1}",
            "{\"a\": \"\\u00\uFF11\uFF11\"}",
            "{\"a\0\": 1}")) {
      refuses(() -> job(P).scope(bad).build());
      refuses(() -> jobs.recordPhase(lease, "phase", bad));
      refuses(() -> jobs.complete(lease, bad));
    }
  }

  @Test
  void takesJsonObjects() throws SQLException {
    for (String good :
        List.of(
            "{}",
            " { } ",
            "{\"a\": {\"b\": [1, -2.5e10, true, false, null, \"\\uD83D\\uDE00 \\n é\"]}}",
            "{\"\": []}",
            "{\"a\": 1e-999, \"b\": 0, \"c\": -0.0, \"d\": 1E+2}",
            "{\"a\": 1e0999, \"b\": %s}".formatted("1".repeat(9_999)))) {
      ConsolidationJob job = jobs.enqueue(job(P).scope(good).build());
      assertThat(
              database.row(
                  "select scope = '%s'::jsonb from consolidation_jobs where id = '%s'"
                      .formatted(good, job.id())))
          .isEqualTo("t");
      assertThat(job(P).scope(job.scope()).build().scope()).isEqualTo(job.scope());
    }
  }

  @Test
  void takesDeepJsonUpToALimit() {
    String deep = "{\"a\":".repeat(200) + "{}" + "}".repeat(200);
    jobs.enqueue(job(P).scope(deep).build());
    refuses(() -> job(P).scope("{\"a\":" + deep + "}").build());
    refuses(() -> job(P).scope("{\"a\":" + "[".repeat(100_000)).build());
  }

  @Test
  void aFailedWriteOfOneStatementLeavesTheJobAsItWas() throws SQLException {
    ConsolidationJob running = claimed();
    database.execute("alter table consolidation_jobs add constraint no check (status <> 'failed')");
    database.execute("update consolidation_jobs set max_retries = 0");
    DatabaseException refused =
        assertThrows(DatabaseException.class, () -> jobs.fail(running.lease(), "e"));
    assertThat(refused.sqlState()).isEqualTo("23514");
    assertThat(refused.isRetryable()).isFalse();
    assertThat(jobs.find(P, running.id()).orElseThrow().status()).isEqualTo(JobStatus.RUNNING);
  }

  private static void refuses(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(InvalidInputException.class);
  }

  private static <T> List<T> inParallel(int workers, Callable<T> work) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(workers);
    try {
      List<Future<T>> running = new ArrayList<>();
      for (int i = 0; i < workers; i++) {
        running.add(threads.submit(work));
      }
      List<T> results = new ArrayList<>();
      for (Future<T> future : running) {
        results.add(future.get());
      }
      return results;
    } finally {
      threads.shutdownNow();
    }
  }
}
