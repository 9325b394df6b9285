package io.agentmemory.consolidation.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Jobs claimed and completed a second, beside db-scheduler, and as the finished rows grow. */
final class JobsSection {
  private static final int[] CLAIMERS = {1, 4, 16};
  private static final int MOST_CLAIMERS = 16;
  private static final int MOST_ROUNDS = 5;
  private static final double STEADY = 0.9;

  private final Bench bench;
  private final int finished;
  private final int count;
  private final int rounds;

  JobsSection(Bench bench) {
    this.bench = bench;
    Settings settings = bench.settings();
    this.finished = settings.finishedJobs();
    this.count = settings.quick() ? 600 : 4_000;
    this.rounds = Math.min(settings.rounds(), MOST_ROUNDS);
  }

  void run() throws Exception {
    long start = System.nanoTime();
    try (OurJobs fewer = new OurJobs(bench.server(), finished, MOST_CLAIMERS);
        OurJobs more = new OurJobs(bench.server(), finished * 10, MOST_CLAIMERS);
        DbScheduler other = new DbScheduler(bench.server(), MOST_CLAIMERS)) {
      bench
          .report()
          .text(
              ("%,d jobs of fifty projects, due, that do nothing, claimed %d at a time and completed"
                      + " one by one; jobs a second. db-scheduler runs a scheduler with as many"
                      + " threads (lock and fetch) and deletes what is done; ours keep it. The"
                      + " finished rows took %.0f s to make.")
                  .formatted(count, JobQueue.BATCH, OrderTable.seconds(start)));
      List<JobQueue> queues = List.of(fewer, more, other);
      Table table = new Table("claimers", fewer.name(), more.name(), other.name());
      for (int claimers : CLAIMERS) {
        bench.log().say("jobs: claimers: " + claimers);
        Map<JobQueue, Spread> rates = rates(queues, claimers);
        table.row(claimers, rates.get(fewer), rates.get(more), rates.get(other));
        String who = claimers == 1 ? "1 claimer" : claimers + " claimers";
        verdict("Jobs, %s: beside db-scheduler".formatted(who), 1, rates, fewer, other);
        verdict("Jobs, %s: with ten times the rows".formatted(who), STEADY, rates, more, fewer);
      }
      bench.report().table(table);
    }
  }

  /** The first round, not counted, warms up. */
  private Map<JobQueue, Spread> rates(List<JobQueue> queues, int claimers) throws Exception {
    Map<JobQueue, List<Double>> rates = new LinkedHashMap<>();
    queues.forEach(queue -> rates.put(queue, new ArrayList<>()));
    List<JobQueue> order = new ArrayList<>(queues);
    for (int round = 0; round <= rounds; round++) {
      for (JobQueue queue : order) {
        queue.fill(count);
        double rate = count / queue.drain(claimers);
        if (round > 0) {
          rates.get(queue).add(rate);
        }
      }
      Collections.rotate(order, 1);
    }
    Map<JobQueue, Spread> spreads = new LinkedHashMap<>();
    rates.forEach((queue, values) -> spreads.put(queue, Spread.of(values)));
    return spreads;
  }

  private void verdict(
      String what, double wanted, Map<JobQueue, Spread> rates, JobQueue one, JobQueue base) {
    double ratio = rates.get(one).median() / rates.get(base).median();
    bench
        .report()
        .verdict(
            what,
            "≥ %s as fast".formatted(Spread.number(wanted)),
            Spread.number(ratio),
            ratio >= wanted);
  }
}
