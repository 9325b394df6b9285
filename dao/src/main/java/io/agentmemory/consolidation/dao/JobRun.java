package io.agentmemory.consolidation.dao;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One try of a job by a {@link JobWorker}. Used by the thread that the handler was called in, and
 * whose interrupts tell that the job is lost.
 */
public final class JobRun {
  private final Consolidation consolidation;
  private final ConsolidationJob job;
  private final JobLease lease;
  private final Set<String> done;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile boolean lost;
  private @Nullable Thread thread;

  JobRun(Consolidation consolidation, ConsolidationJob job) {
    this.consolidation = consolidation;
    this.job = job;
    this.lease = job.lease();
    this.done = new HashSet<>(job.phasesCompleted());
  }

  /**
   * The job as it was claimed.
   *
   * @return the job, running
   */
  public ConsolidationJob job() {
    return job;
  }

  /**
   * The hold on the job, for writes of the application's own making.
   *
   * @return the lease
   */
  public JobLease lease() {
    return lease;
  }

  /**
   * The library as the worker was given it, for reads.
   *
   * @return the way in
   */
  public Consolidation consolidation() {
    return consolidation;
  }

  /**
   * Whether the job is known to be no longer this run's, so that there is no use in going on.
   *
   * @return true once a heartbeat or a write has found the lease lost
   */
  public boolean isLost() {
    return lost;
  }

  /**
   * Does a phase unless it is recorded: thinks without a transaction, however long it takes, then
   * writes and records the phase in one transaction. So what it writes is in the database exactly
   * once, however often the job is tried.
   *
   * @param <T> what the thinking comes to
   * @param name the phase's name, at most 255 characters
   * @param think works out what is to be written
   * @param write writes it
   * @return whether it was done now; false if an earlier try has recorded it
   * @throws LeaseLostException if the job is no longer this run's; let it end the handler
   * @throws Exception what the thinking or the writing threw; nothing was written
   */
  public <T extends @Nullable Object> boolean phase(
      String name, Callable<T> think, PhaseWrite<T> write) throws Exception {
    Checks.name("phase", name, ConsolidationJobDao.LONGEST_PHASE);
    Checks.notNull("think", think);
    Checks.notNull("write", write);
    if (done.contains(name)) {
      return false;
    }
    if (lost) {
      throw new LeaseLostException(lease.jobId(), "jobs.phase");
    }
    T thought = think.call();
    boolean written = write(name, thought, write);
    done.add(name);
    return written;
  }

  private <T extends @Nullable Object> boolean write(String name, T thought, PhaseWrite<T> write) {
    try {
      consolidation
          .database()
          .of(lease.projectId())
          .transact(
              "jobs.phase",
              handle -> {
                Consolidation joined = consolidation.joining(handle);
                String metrics = write.write(joined, handle.getConnection(), thought);
                return joined.jobs().recordPhase(lease, name, metrics);
              });
      return true;
    } catch (PhaseAlreadyRecordedException before) {
      return false;
    } catch (LeaseLostException gone) {
      lost = true;
      throw gone;
    }
  }

  /** Ties the run to the thread that it is done in, unless the job is gone already. */
  boolean begin() {
    lock.lock();
    try {
      if (lost) {
        return false;
      }
      thread = Thread.currentThread();
      return true;
    } finally {
      lock.unlock();
    }
  }

  /**
   * After this no interrupt reaches the thread, and one that has is taken away, whoever it came
   * from: it would keep the job's end from being written.
   */
  void end() {
    lock.lock();
    try {
      thread = null;
      Thread.interrupted();
    } finally {
      lock.unlock();
    }
  }

  /** Tells the handler that the job is gone. */
  void lose() {
    lock.lock();
    try {
      lost = true;
      if (thread != null) {
        thread.interrupt();
      }
    } finally {
      lock.unlock();
    }
  }
}
