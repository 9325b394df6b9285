package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.direction;
import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationFlow;
import io.agentmemory.consolidation.dao.ConsolidationJob;
import io.agentmemory.consolidation.dao.Consolidator;
import io.agentmemory.consolidation.dao.JobStatus;
import io.agentmemory.consolidation.dao.JobWorker;
import io.agentmemory.consolidation.dao.JobWorkerOptions;
import io.agentmemory.consolidation.dao.MemoryCluster;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.PairQuery;
import io.agentmemory.consolidation.dao.TriggerType;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** As the handler of a worker: what is done is done once, wherever a try ends. */
@Timeout(120)
class ConsolidationFlowJobTest {
  private static final Duration SOON = Duration.ofMillis(10);

  /**
   * With a lease that no slow machine lets run out, since none of the tests waits for that; and a
   * job at a time, so that nothing polls beside it.
   */
  private static final JobWorkerOptions FAST =
      JobWorkerOptions.defaults()
          .withConcurrency(1)
          .withPollInterval(SOON)
          .withLeaseTime(Duration.ofMinutes(10))
          .withBackoff(SOON, SOON);

  /** Two consolidated, one declined. */
  private static final String METRICS =
      "{\"clusters_skipped\": 0, \"clusters_declined\": 1, \"clusters_consolidated\": 2}";

  @RegisterExtension final TestDatabase database = TestDatabase.withDimensions(3);

  private final List<String> asked = Collections.synchronizedList(new ArrayList<>());

  /** Three pairs that are alike, of which the last is to be declined. */
  private ConsolidationJob project(String project) {
    for (int i = 0; i < 3; i++) {
      for (String side : List.of("left", "right")) {
        database
            .memories()
            .insert(
                memory(project, i == 2 ? "declined" : "says " + i)
                    .id(project + side + i)
                    .embedding(direction(3, i * 30 + side.length() / 5.0))
                    .build());
      }
    }
    return database
        .consolidation()
        .jobs()
        .enqueue(NewJob.builder(project, TriggerType.MANUAL).maxRetries(9).build());
  }

  /** What is made is alike, too, and would be a cluster in a run that saw it. */
  private Consolidator consolidator() {
    return cluster -> {
      asked.add(cluster.key());
      return cluster.memories().get(0).content().equals("declined")
          ? Optional.empty()
          : Optional.of(memory(cluster.projectId(), "made").embedding(direction(3, 120)).build());
    };
  }

  private ConsolidationJob find(ConsolidationJob job) {
    return database.consolidation().jobs().find(job.projectId(), job.id()).orElseThrow();
  }

  private void await(ConsolidationJob job) throws InterruptedException {
    while (Set.of(JobStatus.PENDING, JobStatus.RUNNING).contains(find(job).status())) {
      Thread.sleep(5);
    }
  }

  private void run(Consolidation consolidation, Consolidator consolidator, ConsolidationJob job)
      throws InterruptedException {
    run(consolidation, consolidator, job, null);
  }

  private void run(
      Consolidation consolidation,
      Consolidator consolidator,
      ConsolidationJob job,
      @Nullable Executor executor)
      throws InterruptedException {
    ConsolidationFlow flow = ConsolidationFlow.of(PairQuery.of(0.99), consolidator);
    JobWorker worker = JobWorker.start(consolidation, flow, FAST, executor);
    try {
      await(job);
    } finally {
      worker.close();
    }
  }

  /** That the job is completed and everything was stored once. */
  private void assertDone(ConsolidationJob job) throws SQLException {
    ConsolidationJob done = find(job);
    assertThat(done.status()).as(done.errorMessage()).isEqualTo(JobStatus.COMPLETED);
    assertThat(done.metrics()).isEqualTo(METRICS);
    assertThat(done.phasesCompleted()).hasSize(4);
    assertThat(done.phasesCompleted().get(0)).startsWith("flow began ");
    assertThat(done.phasesCompleted().stream().map(phase -> phase.replaceAll(".* ", "")))
        .doesNotHaveDuplicates();
    String project = job.projectId();
    assertThat(
            database.column(
                """
                select array_to_string(source_memory_ids, ' ') from consolidated_memories
                where project_id = '%s' and source_count > 0 order by 1"""
                    .formatted(project)))
        .containsExactly(
            "%1$sleft0 %1$sright0".formatted(project), "%1$sleft1 %1$sright1".formatted(project));
  }

  @Test
  void a_job_records_a_phase_for_each_cluster_and_counts_them() throws Exception {
    ConsolidationJob job = project("p");
    run(database.consolidation(), consolidator(), job);
    assertDone(job);
    assertThat(asked).hasSize(3).doesNotHaveDuplicates();
    assertThat(find(job).phasesCompleted())
        .contains("flow consolidated " + asked(0), "flow declined " + asked(2));
  }

  /** The key of the cluster of a number. */
  private String asked(int number) {
    return new MemoryCluster(
            "p", database.memories().findAll("p", List.of("pleft" + number, "pright" + number)), 1)
        .key();
  }

  @Test
  void a_try_that_fails_after_each_cluster_goes_on_where_the_last_one_ended() throws Exception {
    ConsolidationJob job = project("p");
    Consolidator inner = consolidator();
    List<Integer> tries = new ArrayList<>();
    Consolidator failing =
        cluster -> {
          int now = find(job).retryCount();
          if (tries.contains(now)) {
            throw new IllegalStateException("no model");
          }
          tries.add(now);
          return inner.consolidate(cluster);
        };
    run(database.consolidation(), failing, job);
    assertDone(job);
    assertThat(find(job).retryCount()).isEqualTo(2);
    assertThat(asked).as("no cluster was answered for twice").hasSize(3).doesNotHaveDuplicates();
  }

  /** Before and after each statement and commit of the job's thread, in turn. */
  @Test
  void a_connection_cut_anywhere_makes_nothing_happen_twice() throws Exception {
    int number = 0;
    boolean struck;
    do {
      number++;
      ConsolidationJob job = project("p" + number);
      asked.clear();
      CutConnections cut = new CutConnections(database.source("ApplicationName=flow"), number);
      Consolidation consolidation = Consolidation.on(cut.dataSource(), database.options());
      run(
          consolidation,
          consolidator(),
          job,
          work -> new Thread(() -> cut.watch(work), "job").start());
      struck = cut.struck();
      assertDone(job);
      assertThat(asked).as("asked again at most for what was cut").hasSizeBetween(3, 4);
      assertThat(asked.stream().distinct()).hasSize(3);
    } while (struck);
    assertThat(number).as("statements and commits, twice").isGreaterThan(40);
  }

  @Test
  void a_job_taken_away_while_the_application_thinks_is_done_by_another_worker() throws Exception {
    ConsolidationJob job = project("p");
    CountDownLatch thinking = new CountDownLatch(1);
    JobWorker first =
        JobWorker.start(
            database.consolidation(),
            ConsolidationFlow.of(
                PairQuery.of(0.99),
                cluster -> {
                  thinking.countDown();
                  try {
                    new CountDownLatch(1).await();
                  } catch (InterruptedException swallowed) {
                    return Optional.of(memory("p", "too late").build());
                  }
                  return Optional.empty();
                }),
            FAST,
            null);
    thinking.await();
    assertThat(first.stop(Duration.ofMillis(50))).isFalse();
    run(database.consolidation(), consolidator(), job);
    assertDone(job);
    assertThat(find(job).retryCount()).isZero();
  }

  @Test
  void two_workers_with_a_job_each_in_one_project_consolidate_no_memory_twice() throws Exception {
    ConsolidationJob one = project("p");
    ConsolidationJob two =
        database.consolidation().jobs().enqueue(NewJob.builder("p", TriggerType.MANUAL).build());
    CountDownLatch both = new CountDownLatch(2);
    Consolidator inner = consolidator();
    ConsolidationFlow flow =
        ConsolidationFlow.of(
            PairQuery.of(0.99),
            cluster -> {
              both.countDown();
              both.await();
              return inner.consolidate(cluster);
            });
    JobWorker first = JobWorker.start(database.consolidation(), flow, FAST, null);
    JobWorker second = JobWorker.start(database.consolidation(), flow, FAST, null);
    try {
      await(one);
      await(two);
    } finally {
      first.close();
      second.close();
    }
    assertThat(List.of(find(one), find(two)))
        .allMatch(job -> job.status() == JobStatus.COMPLETED && job.retryCount() == 0);
    assertThat(
            database.value(
                """
                select count(*) from consolidation_jobs as j, unnest(j.phases_completed) as phase
                where phase like 'flow consolidated %'"""))
        .isEqualTo("2");
    assertThat(database.value("select count(*) from consolidated_memories where source_count > 0"))
        .isEqualTo("2");
  }
}
