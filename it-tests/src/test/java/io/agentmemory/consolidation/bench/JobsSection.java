package io.agentmemory.consolidation.bench;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Jobs claimed and completed a second, beside db-scheduler, and as the finished rows grow. */
final class JobsSection {
  private static final int[] CLAIMERS = {1, 4, 16};
  private static final int MOST_CLAIMERS = 16;
  private static final int MOST_SYNCED_ROUNDS = 5;
  private static final double STEADY = 0.9;

  private final Bench bench;
  private final int finished;

  JobsSection(Bench bench) {
    this.bench = bench;
    this.finished = bench.settings().finishedJobs();
  }

  void run() throws Exception {
    long start = System.nanoTime();
    try (OurJobs fewer = new OurJobs(bench.server(), finished, MOST_CLAIMERS);
        OurJobs more = new OurJobs(bench.server(), finished * 10, MOST_CLAIMERS);
        DbScheduler other = new DbScheduler(bench.server(), MOST_CLAIMERS);
        Connection connection = fewer.connect()) {
      bench
          .report()
          .text(
              ("Jobs of fifty projects, due, that do nothing, claimed %d at a time; jobs a second."
                      + " Ours stay, with their times and figures, in a table with seven indexes;"
                      + " those that were claimed together are completed together, by one statement,"
                      + " or each by its own; a thread claims and completes by turns, on one"
                      + " connection. db-scheduler runs a scheduler with as many threads as there"
                      + " are claimers (lock and fetch) and one more that fetches on a connection"
                      + " of its own while they work, and deletes what is done, always job by job:"
                      + " beside it, ours has as many threads and connections, one more than"
                      + " claimers, and in a column of its own one fewer. Its table has three"
                      + " indexes and no other rows, and it shares nothing out between projects."
                      + " Before each round the table is vacuumed and analysed, ours with"
                      + " vacuum_index_cleanup = on as the README advises: else the server's vacuum"
                      + " leaves the indexes as they are where few of a table's pages have dead"
                      + " rows, and in the larger table claims pass by an entry of each job that"
                      + " was claimed in the rounds before. The finished rows took %.0f s to make,"
                      + " with a vacuum and a checkpoint after them.")
                  .formatted(JobQueue.BATCH, MemoriesTable.seconds(start)));
      int rounds = bench.settings().rounds();
      boolean quick = bench.settings().quick();
      int count = quick ? 600 : 20_000;
      beside(fewer, other, count, rounds, "");
      grown(fewer, more, count, 2 * rounds);
      if (MemoriesTable.number(connection, "select (current_setting('fsync') = 'off')::int") == 1) {
        fsync(connection, "alter system set fsync = on");
        try {
          beside(fewer, other, count / 4, Math.min(rounds, MOST_SYNCED_ROUNDS), ", with fsync");
        } finally {
          fsync(connection, "alter system reset fsync");
        }
      }
    }
  }

  private static void fsync(Connection connection, String change) throws SQLException {
    MemoriesTable.execute(connection, "checkpoint");
    MemoriesTable.execute(connection, change);
    MemoriesTable.execute(connection, "select pg_reload_conf()");
  }

  private void beside(OurJobs ours, DbScheduler other, int count, int rounds, String how)
      throws Exception {
    bench.report().text("%,d jobs%s:".formatted(count, how));
    JobQueue together = ours.togetherOnOneMore();
    JobQueue onOneFewer = ours.together();
    JobQueue oneByOne = ours.oneByOneOnOneMore();
    List<JobQueue> queues = List.of(together, onOneFewer, oneByOne, other);
    Table table =
        new Table("claimers", together.name(), onOneFewer.name(), oneByOne.name(), other.name());
    for (int claimers : CLAIMERS) {
      Map<JobQueue, Spread> rates = rates(queues, claimers, count, rounds);
      table.row(
          claimers,
          rates.get(together),
          rates.get(onOneFewer),
          rates.get(oneByOne),
          rates.get(other));
      String who = who(claimers) + how;
      verdict(who + ": beside db-scheduler", 1, rates, together, other);
      verdict(who + ", on one connection fewer: beside db-scheduler", 1, rates, onOneFewer, other);
      verdict(who + ", completed one by one: beside db-scheduler", 1, rates, oneByOne, other);
    }
    bench.report().table(table);
  }

  /**
   * The same work over the smaller and the larger table by turns, in more rounds: they differ by
   * less than the rounds do.
   */
  private void grown(OurJobs fewer, OurJobs more, int count, int rounds) throws Exception {
    bench
        .report()
        .text(
            ("%,d jobs, completed together, over ten times the finished rows. The five indexes of"
                    + " all jobs have %d levels above their leaves, in the larger table %d. Medians"
                    + " of %d rounds:")
                .formatted(count, fewer.levels(), more.levels(), rounds));
    JobQueue over = fewer.together();
    JobQueue among = more.together();
    Table table = new Table("claimers", over.name(), among.name());
    for (int claimers : CLAIMERS) {
      Map<JobQueue, Spread> rates = rates(List.of(over, among), claimers, count, rounds);
      table.row(claimers, rates.get(over), rates.get(among));
      verdict(who(claimers) + ": with ten times the rows", STEADY, rates, among, over);
    }
    bench.report().table(table);
  }

  private static String who(int claimers) {
    return claimers == 1 ? "Jobs, 1 claimer" : "Jobs, %d claimers".formatted(claimers);
  }

  /** The first round, not counted, warms up. */
  private Map<JobQueue, Spread> rates(List<JobQueue> queues, int claimers, int count, int rounds)
      throws Exception {
    bench.log().say("jobs: claimers: " + claimers);
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
