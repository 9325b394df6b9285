package io.agentmemory.consolidation.dao;

/** What an application does with a job that a {@link JobWorker} has claimed. */
@FunctionalInterface
public interface JobHandler {
  /**
   * Does the job, phase by phase. Returning completes it; throwing ends the try, and the job is
   * tried again later if it has a retry left, unless it is a {@link JobNotRetryableException}.
   *
   * <p>Called in a thread of the worker's executor, without a transaction or connection. The thread
   * is interrupted when the job is lost or taken back; what is written with its lease after that
   * fails with {@link LeaseLostException}.
   *
   * @param run the job and its phases
   * @throws Exception if the try failed
   */
  void run(JobRun run) throws Exception;
}
