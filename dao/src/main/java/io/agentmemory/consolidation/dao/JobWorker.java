package io.agentmemory.consolidation.dao;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * Claims jobs and has them done: {@code try (JobWorker worker = JobWorker.start(consolidation,
 * handler)) { … }}.
 *
 * <p>It polls, claims no more than it may do at a time, sends heartbeats while handlers run,
 * rescues the jobs of workers that have died, and tries failed jobs again after a time that doubles
 * with each try. A database that is away for a while is waited for: no worker rescues a job before
 * its own heartbeats have come through again for half a lease. It holds no connection while a
 * handler thinks.
 *
 * <p>Its threads are daemons, and so are those of jobs unless an executor is given: they do not
 * keep a process alive. A connection that is cut without a word holds them up until the driver
 * gives up, so set the driver's {@code socketTimeout} or {@code tcpKeepAlive}. Whoever claims a job
 * and dies has used up a try of it, though no handler may have seen it.
 *
 * <p>Thread-safe. Any number of workers, in any number of processes, share the jobs.
 */
public final class JobWorker implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(JobWorker.class);

  /** Nothing waits longer, however long the grace. */
  private static final Duration LONGEST_GRACE = Duration.ofDays(365);

  private static final Duration GRACE = Duration.ofSeconds(30);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);
  private static final Duration LONGEST_WAIT = Duration.ofMillis(100);
  private static final Duration LONGEST_HAND_BACK = Duration.ofSeconds(5);
  private static final String NOT_HANDED_BACK = "A job could not be handed back: a rescue will";
  private static final int MOST_RESCUED = 100;

  private final JobWorkerOptions options;
  private final Executor executor;
  private final Consolidation consolidation;
  private final ConsolidationJobDao jobs;
  private final Observers observers;
  private final JobHandler handler;
  private final Semaphore slots;
  private final Set<JobRun> runs = ConcurrentHashMap.newKeySet();
  private final CountDownLatch stopping = new CountDownLatch(1);
  private final CountDownLatch stopped = new CountDownLatch(1);
  private final JobHeart heart;
  private final Thread poller;
  private final Thread beater;

  private JobWorker(
      Consolidation consolidation,
      JobHandler handler,
      JobWorkerOptions options,
      @Nullable Executor executor) {
    this.options = options;
    this.executor = executor == null ? JobWorker::daemon : executor;
    this.consolidation = consolidation;
    this.jobs = consolidation.jobs();
    this.observers = consolidation.database().observers();
    this.handler = handler;
    this.slots = new Semaphore(options.concurrency());
    this.poller = new Thread(this::poll, "consolidation-worker");
    this.heart = new JobHeart(consolidation, options, runs, stopped);
    this.beater = new Thread(heart::run, "consolidation-heartbeat");
  }

  /**
   * Starts a worker with the default settings and a thread for each job.
   *
   * @param consolidation where the jobs are; must not have joined a connection
   * @param handler does them
   * @return the worker, running
   */
  public static JobWorker start(Consolidation consolidation, JobHandler handler) {
    return start(consolidation, handler, JobWorkerOptions.defaults(), null);
  }

  /**
   * Starts a worker with a thread for each job.
   *
   * @param consolidation where the jobs are; must not have joined a connection
   * @param handler does them
   * @param options how
   * @return the worker, running
   */
  public static JobWorker start(
      Consolidation consolidation, JobHandler handler, JobWorkerOptions options) {
    return start(consolidation, handler, options, null);
  }

  /**
   * Starts a worker.
   *
   * @param consolidation where the jobs are; must not have joined a connection
   * @param handler does them
   * @param options how
   * @param executor where handlers run, for example one of virtual threads; it stays open; null: a
   *     thread for each job
   * @return the worker, running
   * @throws InvalidInputException if {@code consolidation} has joined a connection
   */
  public static JobWorker start(
      Consolidation consolidation,
      JobHandler handler,
      JobWorkerOptions options,
      @Nullable Executor executor) {
    Checks.notNull("handler", handler);
    Checks.notNull("options", options);
    if (Checks.notNull("consolidation", consolidation).database().joined()) {
      throw new InvalidInputException(
          "consolidation has joined a connection, but a worker needs one for each call: give what"
              + " Consolidation.on or open returned");
    }
    JobWorker worker = new JobWorker(consolidation, handler, options, executor);
    worker.poller.setDaemon(true);
    worker.beater.setDaemon(true);
    worker.beater.start();
    try {
      worker.poller.start();
    } catch (Error noThread) {
      worker.stopped.countDown();
      throw noThread;
    }
    worker
        .about(LOG.atInfo())
        .addKeyValue("concurrency", options.concurrency())
        .log("A job worker has started");
    return worker;
  }

  /** Stops with a grace of 30 seconds. */
  @Override
  public void close() {
    stop(GRACE);
  }

  /**
   * Claims nothing more, waits for the handlers that run, and hands back the jobs of those that are
   * not done in time, which costs them no retry. Their threads are interrupted, and what they still
   * write fails. Handing back takes 5 seconds at most: a job that is locked so long, or all of them
   * if the database is away, are left to a rescue, unless their handlers end on the interrupt and
   * can hand them back by then. If the thread that calls this is interrupted, the time is over.
   * Once the worker has stopped, another call returns at once.
   *
   * @param grace how long to wait for handlers
   * @return whether no handler is running any more
   */
  public boolean stop(Duration grace) {
    Checks.positive("grace", grace);
    stopping.countDown();
    if (stopped.getCount() == 0) {
      return slots.availablePermits() == options.concurrency();
    }
    boolean done = false;
    try {
      Duration wait = grace.compareTo(LONGEST_GRACE) < 0 ? grace : LONGEST_GRACE;
      long deadline = System.nanoTime() + wait.toNanos();
      poller.join(Math.max(1, wait.toMillis()));
      done =
          slots.tryAcquire(
              options.concurrency(),
              Math.max(0, deadline - System.nanoTime()),
              TimeUnit.NANOSECONDS);
    } catch (InterruptedException now) {
      Thread.currentThread().interrupt();
    }
    if (done) {
      slots.release(options.concurrency()); // so that stopping again need not wait for them
    }
    handBackAll();
    if (stopped.getCount() > 0) {
      about(LOG.atInfo()).addKeyValue("allDone", done).log("A job worker has stopped");
    }
    stopped.countDown();
    return done;
  }

  /** In a thread of its own, as a pool without connections would keep this one waiting. */
  private void handBackAll() {
    List<JobRun> left = new ArrayList<>(runs);
    if (left.isEmpty()) {
      return;
    }
    CountDownLatch done = new CountDownLatch(1);
    daemon(
        "consolidation-hand-back",
        () -> {
          handBack(left);
          done.countDown();
        });
    boolean interrupted = Thread.interrupted(); // and the time for handlers is over, not for this
    await(done, LONGEST_HAND_BACK);
    left.forEach(JobRun::lose);
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Each has a share of the time that is left, so that one that is locked costs no other its. */
  private void handBack(List<JobRun> some) {
    long end = System.nanoTime() + LONGEST_HAND_BACK.toNanos();
    int left = some.size();
    for (JobRun run : some) {
      Duration share = Duration.ofNanos(Math.max(0, end - System.nanoTime()) / left--);
      try {
        if (share.isZero()) {
          about(LOG.atWarn(), run.job()).log(NOT_HANDED_BACK);
        } else {
          release(run, share);
        }
      } catch (LeaseLostException finished) {
        about(LOG.atDebug(), run.job()).log("A job was over before it could be handed back");
      } catch (RuntimeException failure) {
        LogFields.cause(about(LOG.atWarn(), run.job()), failure).log(NOT_HANDED_BACK);
      }
      run.lose();
    }
  }

  private void release(JobRun run, Duration limit) {
    consolidation.withTimeout(limit).jobs().release(run.lease());
    observers.jobs(JobEvent.HANDED_BACK, 1);
    about(LOG.atInfo(), run.job()).log("Handed a job back");
  }

  private void poll() {
    int failures = 0;
    long nextRescue = System.nanoTime();
    while (stopping.getCount() > 0) {
      try {
        if (System.nanoTime() - nextRescue >= 0 && heart.isSteady()) {
          nextRescue = System.nanoTime() + jittered(options.leaseTime()).toNanos() / 2;
          if (rescue() == MOST_RESCUED) {
            nextRescue = System.nanoTime();
          }
        }
        boolean idle = claim() == 0;
        failures = 0;
        if (idle) {
          pause(jittered(options.pollInterval()));
        }
      } catch (RuntimeException | Error failure) {
        failures++;
        LogFields.cause(about(LOG.atWarn()), failure)
            .addKeyValue("attempt", failures)
            .log("Jobs could not be claimed");
        pause(jittered(Backoff.after(failures - 1, options.pollInterval(), LONGEST_PAUSE)));
      }
    }
  }

  /** How many were rescued. */
  private int rescue() {
    String project = options.projectId();
    List<ConsolidationJob> rescued =
        project == null
            ? jobs.rescueOfAllProjects(options.leaseTime(), MOST_RESCUED)
            : jobs.rescue(project, options.leaseTime(), MOST_RESCUED);
    observers.jobs(JobEvent.RESCUED, rescued.size());
    rescued.forEach(
        job ->
            about(LOG.atWarn(), job)
                .addKeyValue("status", job.status())
                .log("Rescued a job without a sign of life"));
    return rescued.size();
  }

  /** Claims as many as there is room for; how many that were, or -1 if there was none. */
  private int claim() {
    if (!awaitSlot()) {
      return -1;
    }
    int limit = Math.min(slots.availablePermits(), 1_000);
    String project = options.projectId();
    List<ConsolidationJob> claimed =
        project == null ? jobs.claimOfAllProjects(limit) : jobs.claim(project, limit);
    observers.jobs(JobEvent.CLAIMED, claimed.size());
    begin(claimed.stream().map(job -> new JobRun(consolidation, job)).toList());
    return claimed.size();
  }

  /** Whether a slot is free, or becomes so soon; not for long, as the worker may be stopped. */
  private boolean awaitSlot() {
    try {
      boolean free = slots.tryAcquire(LONGEST_WAIT.toNanos(), TimeUnit.NANOSECONDS);
      if (free) {
        slots.release();
      }
      return free;
    } catch (InterruptedException now) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Has jobs done, or hands back those that cannot be. */
  private void begin(List<JobRun> claimed) {
    runs.addAll(claimed); // first: heartbeats are for them now, and of two that stop one sees them
    int begun = 0;
    try {
      while (begun < claimed.size() && stopping.getCount() > 0 && begin(claimed.get(begun))) {
        begun++;
      }
    } finally {
      List<JobRun> left = new ArrayList<>(claimed.subList(begun, claimed.size()));
      left.retainAll(runs);
      handBack(left);
      left.forEach(runs::remove);
    }
    if (begun < claimed.size()) {
      pause(jittered(options.pollInterval()));
    }
  }

  /** Whether the executor took it. */
  private boolean begin(JobRun run) {
    about(LOG.atDebug(), run.job()).log("Claimed a job");
    slots.acquireUninterruptibly();
    try {
      executor.execute(() -> run(run));
      return true;
    } catch (RuntimeException | Error refused) {
      if (!runs.contains(run)) {
        throw refused; // after the run, which was in this thread
      }
      slots.release();
      about(LOG.atWarn(), run.job()).setCause(refused).log("The executor refused a job");
      return false;
    }
  }

  private static void daemon(Runnable work) {
    daemon("consolidation-job", work);
  }

  private static void daemon(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
  }

  private void run(JobRun run) {
    try {
      if (run.begin()) {
        handle(run);
      } else {
        over(run);
      }
    } finally {
      if (runs.remove(run)) {
        slots.release();
      }
    }
  }

  private void handle(JobRun run) {
    long start = System.nanoTime();
    Runnable end;
    try {
      handler.run(run);
      long elapsed = millisSince(start);
      end = () -> completed(run, elapsed);
    } catch (Throwable failure) {
      long elapsed = millisSince(start);
      end = () -> failed(run, failure, elapsed);
    }
    run.end();
    finish(run, end);
  }

  private void over(JobRun run) {
    observers.jobs(JobEvent.LEASE_LOST, 1);
    about(LOG.atInfo(), run.job()).log("A job is no longer this worker's");
  }

  private void completed(JobRun run, long elapsedMillis) {
    try {
      jobs.complete(run.lease(), "{}");
    } catch (LeaseLostException gone) {
      if (!wasCompleted(run)) {
        throw gone;
      }
    }
    observers.jobs(JobEvent.COMPLETED, 1);
    about(LOG.atDebug(), run.job())
        .addKeyValue("elapsedMillis", elapsedMillis)
        .log("Completed a job");
  }

  /** Whether this run has completed its job, by a call whose answer was lost. */
  private boolean wasCompleted(JobRun run) {
    JobLease lease = run.lease();
    return jobs.find(lease.projectId(), lease.jobId())
        .filter(job -> job.status() == JobStatus.COMPLETED)
        .filter(job -> lease.startedAt().equals(job.startedAt()))
        .isPresent();
  }

  private void failed(JobRun run, Throwable failure, long elapsedMillis) {
    if (run.isLost()) { // and interrupted, for which the job is not to blame
      release(run, LONGEST_HAND_BACK);
      return;
    }
    ConsolidationJob job;
    if (failure instanceof JobNotRetryableException) {
      job = jobs.failForGood(run.lease(), failure.toString());
    } else {
      int retries = run.job().retryCount();
      Duration wait = Backoff.after(retries, options.firstBackoff(), options.longestBackoff());
      job = jobs.fail(run.lease(), failure.toString(), jittered(wait));
    }
    boolean again = job.status() == JobStatus.PENDING;
    observers.jobs(again ? JobEvent.RETRIED : JobEvent.FAILED, 1);
    LogFields.cause(about(LOG.atWarn(), run.job()), failure)
        .addKeyValue("status", job.status())
        .addKeyValue("elapsedMillis", elapsedMillis)
        .log(again ? "A try of a job failed, and is repeated" : "A job failed");
  }

  /** Tries for as long as the lease may last; a second try of what was done finds it lost. */
  private void finish(JobRun run, Runnable end) {
    long deadline = System.nanoTime() + options.leaseTime().toNanos();
    for (int failures = 0; ; failures++) {
      try {
        end.run();
        return;
      } catch (LeaseLostException gone) {
        over(run);
        return;
      } catch (RuntimeException | Error failure) {
        Duration wait = jittered(Backoff.after(failures, Duration.ofMillis(100), LONGEST_PAUSE));
        if (System.nanoTime() + wait.toNanos() - deadline > 0 || !await(stopped, wait)) {
          LogFields.cause(about(LOG.atWarn(), run.job()), failure)
              .addKeyValue("attempt", failures + 1)
              .log("The end of a job could not be written");
          return;
        }
      }
    }
  }

  private static LoggingEventBuilder about(LoggingEventBuilder event, ConsolidationJob job) {
    return event
        .addKeyValue("job", job.id())
        .addKeyValue("project", job.projectId())
        .addKeyValue("retries", job.retryCount());
  }

  /** What is logged of this worker, which is of one project or of all. */
  private LoggingEventBuilder about(LoggingEventBuilder event) {
    return LogFields.add(event, "project", options.projectId());
  }

  private void pause(Duration time) {
    await(stopping, time);
  }

  private static long millisSince(long start) {
    return Duration.ofNanos(System.nanoTime() - start).toMillis();
  }

  /** Whether the time passed without the latch being opened or the thread interrupted. */
  static boolean await(CountDownLatch latch, Duration time) {
    try {
      return !latch.await(time.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException now) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** From half to one and a half times as long, so that workers do not go in step. */
  static Duration jittered(Duration time) {
    long nanos = time.toNanos();
    return Duration.ofNanos((long) (nanos * (0.5 + ThreadLocalRandom.current().nextDouble())));
  }
}
