package io.agentmemory.consolidation.dao;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says of the runs of a {@link JobWorker} that they are alive, and tells those whose lease is lost.
 * Without any it asks the database all the same, so that it knows whether heartbeats come through.
 */
final class JobHeart {
  private static final Logger LOG = LoggerFactory.getLogger(JobHeart.class);

  private static final int MOST_BEATEN = 1_000;

  /** Up to so many are all beaten for by one statement: they find room, see {@link #beat()}. */
  private static final int FEW = 20;

  private final Collection<JobRun> runs;
  private final CountDownLatch stopped;
  private final Consolidation consolidation;
  private final JobWorkerOptions options;

  /** When the last beat began that came through. */
  private volatile long lastBeat = System.nanoTime();

  /** Since when no more than half a lease has passed between two of them. */
  private volatile long steadySince = lastBeat;

  /**
   * Makes one.
   *
   * @param consolidation where the jobs are
   * @param options the worker's
   * @param runs those that run; others add and remove
   * @param stopped ends it
   */
  JobHeart(
      Consolidation consolidation,
      JobWorkerOptions options,
      Collection<JobRun> runs,
      CountDownLatch stopped) {
    this.runs = runs;
    this.stopped = stopped;
    this.options = options;
    this.consolidation = consolidation;
  }

  /**
   * Beats until the worker has stopped: each time a quarter of the lease after the last, or, where
   * that took long or failed, a fraction of it after its end.
   */
  void run() {
    Duration interval = options.leaseTime().dividedBy(4);
    Duration wait = interval;
    while (JobWorker.await(stopped, wait)) {
      long start = System.nanoTime();
      Duration rest = Duration.ZERO;
      if (beat()) {
        if (start - lastBeat > halfALease()) {
          steadySince = start;
        }
        lastBeat = start;
        rest = interval.minusNanos(System.nanoTime() - start);
      }
      Duration soon = JobWorker.jittered(interval.dividedBy(4));
      wait = rest.compareTo(soon) > 0 ? rest : soon;
    }
  }

  /**
   * Whether heartbeats have come through for half a lease. Only then may jobs be taken from other
   * workers for the want of theirs: after the database was away, or this process frozen, the
   * heartbeats of all are old, and all must have had the time for another.
   */
  boolean isSteady() {
    long now = System.nanoTime();
    return now - lastBeat <= halfALease() && now - steadySince >= halfALease();
  }

  private long halfALease() {
    return options.leaseTime().toNanos() / 2;
  }

  /**
   * Beats for all by as few statements as serve; whether every one came through.
   *
   * <p>An update stays away from the indexes (HOT) where the page has room for the row's new
   * version; the room of an old version is free once the transaction that replaced it is over. Jobs
   * that were claimed together fill pages, and one statement for all of them would have to move
   * them each time. By two, with other halves each time, they spread within a few beats until all
   * have room. A few find it without that.
   */
  private boolean beat() {
    List<JobRun> all = new ArrayList<>(runs);
    all.removeIf(JobRun::isLost);
    Collections.shuffle(all);
    int part = all.size() <= FEW ? FEW : Math.min(MOST_BEATEN, (all.size() + 1) / 2);
    int parts = Math.max(1, (all.size() + part - 1) / part);
    // Together half the lease, which leaves time for a second try.
    Duration limit = options.leaseTime().dividedBy(2L * parts);
    ConsolidationJobDao jobs = consolidation.withTimeout(limit).jobs();
    boolean through = true;
    int from = 0;
    do {
      int to = Math.min(all.size(), from + part);
      through &= beat(jobs, all.subList(from, to));
      from = to;
    } while (from < all.size());
    return through;
  }

  private boolean beat(ConsolidationJobDao jobs, List<JobRun> some) {
    try {
      List<JobLease> leases = some.stream().map(JobRun::lease).toList();
      Set<JobLease> lost = jobs.heartbeatAll(options.projectId(), leases);
      some.stream().filter(run -> lost.contains(run.lease())).forEach(JobRun::lose);
      return true;
    } catch (RuntimeException | Error failure) {
      LogFields.cause(LogFields.add(LOG.atWarn(), "project", options.projectId()), failure)
          .addKeyValue("runs", some.size())
          .log("The heartbeat of jobs failed");
      return false;
    }
  }
}
