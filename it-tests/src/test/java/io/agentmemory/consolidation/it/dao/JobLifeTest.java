package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.agentmemory.consolidation.dao.ConsolidationJob;
import io.agentmemory.consolidation.dao.ConsolidationJobDao;
import io.agentmemory.consolidation.dao.InvalidInputException;
import io.agentmemory.consolidation.dao.JobLease;
import io.agentmemory.consolidation.dao.JobStatistics;
import io.agentmemory.consolidation.dao.JobStatus;
import io.agentmemory.consolidation.dao.LeaseLostException;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.TriggerType;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;

/** Claims over projects, heartbeats, backoff, rescue, one active job, statistics, pruning. */
class JobLifeTest {
  private static final String P = "project";
  private static final Duration MINUTE = Duration.ofMinutes(1);

  @RegisterExtension
  final TestDatabase database = TestDatabase.with(TestDatabase.SMALL).withoutPool();

  private ConsolidationJobDao jobs;

  @BeforeEach
  void open() {
    jobs = database.consolidation().jobs();
  }

  private ConsolidationJob enqueue(String project) {
    return jobs.enqueue(NewJob.builder(project, TriggerType.MANUAL).build());
  }

  private ConsolidationJob claimed() {
    enqueue(P);
    return jobs.claim(P).orElseThrow();
  }

  private void age(String seconds) throws SQLException {
    database.execute(
        """
        update consolidation_jobs set started_at = started_at - interval '%1$s s',
          heartbeat_at = heartbeat_at - interval '%1$s s',
          created_at = created_at - interval '%1$s s',
          completed_at = completed_at - interval '%1$s s',
          run_after = run_after - interval '%1$s s'
        """
            .formatted(seconds));
  }

  @Test
  void aProjectWithAThousandJobsDoesNotStarveOneWithASingleJob() throws SQLException {
    database.execute(
        """
        insert into consolidation_jobs (id, project_id, status, trigger_type, created_at)
        select 'a' || i, 'a', 'pending', 'manual', now() - interval '1 day'
        from generate_series(1, 1000) as i
        """);
    enqueue("b");
    List<ConsolidationJob> claimed = jobs.claimOfAllProjects(2);
    assertThat(claimed).extracting(ConsolidationJob::projectId).containsExactlyInAnyOrder("a", "b");
    enqueue("b");
    int claims = 0;
    do {
      claimed = jobs.claimOfAllProjects(1);
      assertThat(claimed).hasSize(1);
      claims++;
    } while (!claimed.get(0).projectId().equals("b"));
    assertThat(claims).isLessThan(100);
  }

  @Test
  void aClaimOfAllProjectsTakesAnEqualShareOfEach() {
    for (int i = 0; i < 10; i++) {
      enqueue("a");
      enqueue("b");
      enqueue("c");
    }
    assertThat(jobs.claimOfAllProjects(6)).hasSize(6);
    for (String project : List.of("a", "b", "c")) {
      assertThat(jobs.statistics(project).running()).isEqualTo(2);
    }
    assertThat(jobs.claimOfAllProjects(1000)).hasSize(24);
    assertThat(jobs.claimOfAllProjects(1000)).isEmpty();
  }

  @Test
  void claimsOfAllProjectsGoRoundTheProjects() {
    for (int i = 0; i < 35; i++) {
      enqueue("p" + i % 5);
    }
    jobs.claimOfAllProjects(1);
    for (int round = 0; round < 3; round++) {
      Set<String> served = new HashSet<>();
      for (int turn = 0; turn < 5; turn++) {
        jobs.claimOfAllProjects(1).forEach(job -> served.add(job.projectId()));
      }
      assertThat(served).hasSize(5);
      jobs.claimOfAllProjects(2).forEach(job -> served.remove(job.projectId()));
      jobs.claimOfAllProjects(3).forEach(job -> served.remove(job.projectId()));
      assertThat(served).isEmpty();
    }
  }

  private Map<String, Long> claimedOfAll(int limit) {
    return jobs.claimOfAllProjects(limit).stream()
        .collect(Collectors.groupingBy(ConsolidationJob::projectId, Collectors.counting()));
  }

  @Test
  void claimsThatGoRoundTakeShareByShareAndPassByNoProject() {
    for (int i = 0; i < 50; i++) {
      enqueue("p" + i % 5);
    }
    claimedOfAll(9);
    Map<String, Long> some = claimedOfAll(9);
    assertThat(some).hasSize(3).values().containsOnly(3L);
    Map<String, Long> others = claimedOfAll(9);
    assertThat(others).hasSize(3).values().containsOnly(3L);
    Set<String> served = new HashSet<>(some.keySet());
    served.addAll(others.keySet());
    assertThat(served).hasSize(5);
  }

  @Test
  void aClaimIsFullWhereProjectsHaveOneJobEachOrThereAreFewProjects() {
    for (int i = 0; i < 40; i++) {
      enqueue("p" + i);
    }
    for (int claim = 0; claim < 4; claim++) {
      assertThat(claimedOfAll(10)).hasSize(10);
    }
    for (int i = 0; i < 40; i++) {
      enqueue("p" + i % 2);
    }
    claimedOfAll(10); // sees that there are few now
    for (int claim = 0; claim < 3; claim++) {
      assertThat(claimedOfAll(10)).isEqualTo(Map.of("p0", 5L, "p1", 5L));
    }
  }

  @Test
  void aProjectWhoseTurnItIsButThatHasNoJobDueKeepsNoneFromBeingClaimed() throws SQLException {
    for (int i = 0; i < 4; i++) {
      enqueue("a");
      enqueue("c");
    }
    enqueue("b");
    jobs.fail(jobs.claim("b").orElseThrow().lease(), "later", Duration.ofHours(1));
    for (int i = 0; i < 8; i++) {
      assertThat(jobs.claimOfAllProjects(1)).hasSize(1);
    }
    assertThat(jobs.claimOfAllProjects(1)).isEmpty();
    age("3600");
    assertThat(jobs.claimOfAllProjects(1)).hasSize(1);
  }

  @Test
  void jobsAreCompletedTogetherSaveForThoseWhoseLeaseIsLost() {
    for (int i = 0; i < 3; i++) {
      enqueue("a");
      enqueue("b");
    }
    List<ConsolidationJob> claimed = jobs.claimOfAllProjects(6);
    JobLease cancelled = claimed.get(1).lease();
    jobs.cancel(cancelled.projectId(), cancelled.jobId());
    JobLease completed = claimed.get(2).lease();
    jobs.complete(completed, "{\"kept\": 1}");
    jobs.recordPhase(claimed.get(3).lease(), "merge", "{\"a\": 1, \"b\": 1}");
    JobLease early = claimed.get(4).lease();
    jobs.release(early);
    JobLease again = jobs.claimJob(early.projectId(), early.jobId()).orElseThrow().lease();

    Map<JobLease, String> metrics = new HashMap<>();
    claimed.forEach(job -> metrics.put(job.lease(), "{\"b\": 2}"));
    assertThat(jobs.completeOfAllProjects(metrics))
        .containsExactlyInAnyOrder(cancelled, completed, early);
    for (int i : new int[] {0, 3, 5}) {
      ConsolidationJob job =
          jobs.find(claimed.get(i).projectId(), claimed.get(i).id()).orElseThrow();
      assertThat(job.status()).isEqualTo(JobStatus.COMPLETED);
      assertThat(job.completedAt()).isNotNull();
      assertThat(job.duration()).isNotNull();
      assertThat(job.metrics()).isEqualTo(i == 3 ? "{\"a\": 1, \"b\": 2}" : "{\"b\": 2}");
    }
    assertThat(jobs.find(completed.projectId(), completed.jobId()).orElseThrow().metrics())
        .isEqualTo("{\"kept\": 1}");
    assertThat(jobs.completeAll(again.projectId(), Map.of(again, "{}", early, "{}")))
        .containsExactly(early);
    assertThat(jobs.find(again.projectId(), again.jobId()).orElseThrow().status())
        .isEqualTo(JobStatus.COMPLETED);
  }

  @Test
  void aLostLeaseKeepsJobsFromBeingCompletedTogetherInATransactionThatIsJoined()
      throws SQLException {
    JobLease kept = claimed().lease();
    JobLease lost = claimed().lease();
    jobs.cancel(P, lost.jobId());
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      ConsolidationJobDao joined = database.consolidation().joining(connection).jobs();
      for (Executable complete :
          List.<Executable>of(
              () -> joined.completeAll(P, Map.of(kept, "{}", lost, "{}")),
              () -> joined.completeOfAllProjects(Map.of(kept, "{}", lost, "{}")))) {
        assertThat(assertThrows(LeaseLostException.class, complete).jobId())
            .isEqualTo(lost.jobId());
        assertThat(joined.find(P, kept.jobId()).orElseThrow().status())
            .isEqualTo(JobStatus.RUNNING);
      }
      assertThat(joined.completeAll(P, Map.of(kept, "{}"))).isEmpty();
      connection.rollback();
      connection.setAutoCommit(true);
      refuses(() -> joined.completeAll(P, Map.of(kept, "{}")));
      refuses(() -> joined.completeOfAllProjects(Map.of(kept, "{}")));
    }
    assertThat(jobs.completeAll(P, Map.of())).isEmpty();
    assertThat(jobs.completeAll(P, Map.of(kept, "{}"))).isEmpty();
    assertThat(jobs.find(P, kept.jobId()).orElseThrow().status()).isEqualTo(JobStatus.COMPLETED);
  }

  @Test
  void claimsOfAllProjectsAtTheSameTimeGetDifferentJobsAndAllOfThem() throws Exception {
    for (int i = 0; i < 60; i++) {
      enqueue("p" + i % 3);
    }
    List<Object> results =
        Race.of(
            6,
            worker -> {
              List<String> mine = new ArrayList<>();
              List<ConsolidationJob> got;
              do {
                got = jobs.claimOfAllProjects(1 + worker);
                got.forEach(job -> mine.add(job.id()));
              } while (!got.isEmpty());
              return mine;
            });
    List<Object> all = new ArrayList<>();
    results.forEach(mine -> all.addAll((List<?>) mine));
    assertThat(all).doesNotHaveDuplicates().hasSize(60);
  }

  @Test
  void noClaimWaitsForAJobThatIsLocked() throws SQLException {
    ConsolidationJob locked = enqueue(P);
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      TestDatabase.rows(connection, "select 1 from consolidation_jobs for update");
      enqueue("other");
      ConsolidationJobDao soon =
          database.consolidation().withTimeout(Duration.ofSeconds(20)).jobs();
      assertThat(soon.claimJob(P, locked.id())).isEmpty();
      assertThat(soon.claim(P)).isEmpty();
      for (int claim = 0; claim < 3; claim++) { // the first looks at all, the others go round
        assertThat(soon.claimOfAllProjects(1)).hasSizeBetween(0, 1);
      }
      assertThat(jobs.statistics("other").running()).isEqualTo(1);
      connection.rollback();
    }
  }

  @Test
  void oneJobCanBeClaimedByItsId() {
    enqueue(P);
    ConsolidationJob second = enqueue(P);
    assertThat(jobs.claimJob(P, second.id()).orElseThrow().status()).isEqualTo(JobStatus.RUNNING);
    assertThat(jobs.claimJob(P, second.id())).isEmpty();
    assertThat(jobs.claimJob(P, "none")).isEmpty();
  }

  @Test
  void aRetryWaitsUntilItsTimeHasCome() throws SQLException {
    ConsolidationJob running = claimed();
    jobs.fail(running.lease(), "try later", Duration.ofMinutes(10));
    assertThat(jobs.claim(P)).isEmpty();
    assertThat(jobs.claimOfAllProjects(5)).isEmpty();
    age("300");
    assertThat(jobs.claim(P)).isEmpty();
    age("300");
    assertThat(jobs.claim(P).orElseThrow().retryCount()).isEqualTo(1);
  }

  @Test
  void whatIsNotRetryableFailsAtOnce() {
    ConsolidationJob failed = jobs.failForGood(claimed().lease(), "never");
    assertThat(failed.status()).isEqualTo(JobStatus.FAILED);
    assertThat(failed.retryCount()).isZero();
    assertThat(failed.duration()).isNotNull();
  }

  @Test
  void handingBackCostsNoRetry() {
    JobLease lease = claimed().lease();
    ConsolidationJob back = jobs.release(lease);
    assertThat(back.status()).isEqualTo(JobStatus.PENDING);
    assertThat(back.retryCount()).isZero();
    assertThatThrownBy(() -> jobs.complete(lease, "{}")).isInstanceOf(LeaseLostException.class);
    assertThat(jobs.claim(P)).isPresent();
  }

  @Test
  void onlyAJobWithoutAHeartbeatIsRescued() throws SQLException {
    ConsolidationJob silent = claimed();
    ConsolidationJob alive = claimed();
    age("61");
    jobs.heartbeat(leaseNow(alive));
    JobLease lost = leaseNow(silent);
    assertThat(jobs.rescue("other", MINUTE, 10)).isEmpty();
    assertThat(jobs.rescue(P, MINUTE.multipliedBy(2), 10)).isEmpty();
    ConsolidationJob rescued = jobs.rescueOfAllProjects(MINUTE, 10).get(0);
    assertThat(rescued.id()).isEqualTo(silent.id());
    assertThat(rescued.status()).isEqualTo(JobStatus.PENDING);
    assertThat(rescued.retryCount()).isEqualTo(1);
    assertThat(rescued.errorMessage()).contains("60 seconds");
    assertThat(jobs.rescueOfAllProjects(MINUTE, 10)).isEmpty();
    assertThatThrownBy(() -> jobs.heartbeat(lost)).isInstanceOf(LeaseLostException.class);
  }

  /** The lease that goes with a time that was moved. */
  private JobLease leaseNow(ConsolidationJob job) {
    return jobs.find(job.projectId(), job.id()).orElseThrow().lease();
  }

  @Test
  void aCrashLoopEnds() throws SQLException {
    enqueue(P);
    Set<JobStatus> ends = new HashSet<>();
    for (int tries = 0; tries < 4; tries++) {
      assertThat(jobs.claim(P)).isPresent();
      age("61");
      ends.add(jobs.rescue(P, MINUTE, 10).get(0).status());
    }
    assertThat(ends).containsExactlyInAnyOrder(JobStatus.PENDING, JobStatus.FAILED);
    assertThat(jobs.claim(P)).isEmpty();
  }

  @Test
  void aPhaseThatIsBeingWrittenIsNeitherRescuedNorHeldUpByAHeartbeat() throws SQLException {
    ConsolidationJob running = claimed();
    age("61");
    JobLease lease = leaseNow(running);
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      database.consolidation().joining(connection).jobs().recordPhase(lease, "p", "{}");
      assertThat(jobs.rescue(P, MINUTE, 10)).isEmpty();
      database.consolidation().withTimeout(MINUTE).jobs().heartbeat(lease);
      connection.commit();
    }
    assertThat(jobs.rescue(P, MINUTE, 10)).isEmpty();
    assertThat(jobs.find(P, running.id()).orElseThrow().phasesCompleted()).containsExactly("p");
  }

  @Test
  void heartbeatsTouchNoIndex() throws SQLException {
    ConsolidationJob running = claimed();
    for (int i = 0; i < 20; i++) {
      jobs.heartbeat(running.lease());
    }
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      for (int i = 0; i < 20; i++) {
        database.consolidation().joining(connection).jobs().heartbeat(running.lease());
      }
      assertThat(
              TestDatabase.rows(
                  connection,
                  """
                  select pg_stat_get_xact_tuples_updated(c), pg_stat_get_xact_tuples_hot_updated(c)
                  from (select 'consolidation_jobs'::regclass::oid) as t (c)
                  """))
          .containsExactly("20|20");
      connection.commit();
    }
  }

  @Test
  void aPhaseBegunAgainSaysSo() {
    ConsolidationJob running = claimed();
    assertThat(jobs.beginPhase(running.lease(), "embed", "{\"n\": 1}")).isTrue();
    assertThat(jobs.beginPhase(running.lease(), "embed", "{\"n\": 2}")).isFalse();
    jobs.cancel(P, running.id());
    assertThatThrownBy(() -> jobs.beginPhase(running.lease(), "embed", "{}"))
        .isInstanceOf(LeaseLostException.class);
  }

  @Test
  void ofManyAtOnceOneEnqueuesAndTheOthersGetItsJob() throws Exception {
    List<Object> results =
        Race.of(
            8,
            worker -> {
              Set<String> ids = new HashSet<>();
              for (int i = 0; i < 25; i++) {
                NewJob job = NewJob.builder("p" + i % 5, TriggerType.THRESHOLD).build();
                ids.add(jobs.enqueueUnlessActive(job).id());
              }
              return ids;
            });
    assertThat(results.stream().map(Object::toString).collect(Collectors.toSet())).hasSize(1);
    assertThat(database.row("select count(*), count(distinct project_id) from consolidation_jobs"))
        .isEqualTo("5|5");
    jobs.cancel("p0", jobs.claim("p0").orElseThrow().id());
    jobs.enqueueUnlessActive(NewJob.builder("p0", TriggerType.MANUAL).build());
    assertThat(jobs.statistics("p0").pending()).isEqualTo(1);
  }

  @Test
  void oneActiveJobIsNotPromisedFromAnOldSnapshot() throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      connection.setAutoCommit(false);
      ConsolidationJobDao joined = database.consolidation().joining(connection).jobs();
      NewJob job = NewJob.builder(P, TriggerType.MANUAL).build();
      assertThatThrownBy(() -> joined.enqueueUnlessActive(job))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("repeatable read");
    }
  }

  @Test
  void statisticsCountEveryStatus() throws SQLException {
    assertThat(jobs.statistics(P)).isEqualTo(new JobStatistics(0, 0, 0, 0, 0, null, null, null));
    jobs.complete(claimed().lease(), "{}");
    jobs.complete(claimed().lease(), "{}");
    jobs.failForGood(claimed().lease(), "e");
    jobs.cancel(P, enqueue(P).id());
    claimed();
    ConsolidationJob pending = enqueue(P);
    enqueue("other");
    database.execute(
        """
        update consolidation_jobs as j set duration_seconds = n * 10
        from (select id, row_number() over (order by id) as n from consolidation_jobs
          where status = 'completed') as c
        where c.id = j.id
        """);
    assertThat(jobs.statistics(P))
        .isEqualTo(
            new JobStatistics(
                1,
                1,
                2,
                1,
                1,
                pending.createdAt(),
                Duration.ofSeconds(15),
                Duration.ofSeconds(20)));
  }

  @Test
  void pruningDeletesInBatchesWhatHasEndedLongAgo() throws SQLException {
    for (int i = 0; i < 5; i++) {
      jobs.complete(claimed().lease(), "{}");
    }
    jobs.failForGood(claimed().lease(), "e");
    jobs.cancel(P, enqueue(P).id());
    enqueue(P);
    enqueue(P);
    jobs.claim(P);
    age("3601");
    jobs.complete(claimedAnd("other"), "{}");
    age("10");
    ConsolidationJob recent = jobs.complete(claimedAnd(P), "{}");
    assertThat(jobs.prune(P, Duration.ofHours(2), 3)).isZero();
    assertThat(jobs.prune(P, Duration.ofHours(1), 3)).isEqualTo(7);
    assertThat(jobs.find(P, recent.id())).isPresent();
    assertThat(database.row("select count(*) from consolidation_jobs")).isEqualTo("4");
  }

  private JobLease claimedAnd(String project) {
    return jobs.claimJob(project, enqueue(project).id()).orElseThrow().lease();
  }

  @Test
  void refusesTimesAndNumbersOutOfRange() {
    JobLease lease = claimed().lease();
    refuses(() -> jobs.fail(lease, "e", Duration.ofSeconds(-1)));
    refuses(() -> jobs.fail(lease, "e", Duration.ofDays(100_000)));
    refuses(() -> jobs.rescue(P, Duration.ZERO, 1));
    refuses(() -> jobs.rescue("", MINUTE, 1));
    refuses(() -> jobs.rescueOfAllProjects(MINUTE, 0));
    refuses(() -> jobs.claimOfAllProjects(0));
    refuses(() -> jobs.claimOfAllProjects(1001));
    refuses(() -> jobs.claimJob(P, ""));
    refuses(() -> jobs.prune(P, Duration.ofSeconds(-1), 1));
    refuses(() -> jobs.prune(P, MINUTE, 0));
    refuses(() -> jobs.statistics("a\0"));
    refuses(() -> jobs.beginPhase(lease, "", "{}"));
  }

  @SuppressWarnings("NullAway")
  @Test
  void refusesNull() {
    JobLease lease = claimed().lease();
    refuses(() -> jobs.enqueueUnlessActive(null));
    refuses(() -> jobs.heartbeat(null));
    refuses(() -> jobs.release(null));
    refuses(() -> jobs.fail(lease, "e", null));
    refuses(() -> jobs.failForGood(lease, null));
    refuses(() -> jobs.failForGood(null, "e"));
    refuses(() -> jobs.rescueOfAllProjects(null, 1));
    refuses(() -> jobs.prune(P, null, 1));
    refuses(() -> jobs.statistics(null));
    refuses(() -> jobs.claimJob(null, "id"));
  }

  private static void refuses(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(InvalidInputException.class);
  }
}
