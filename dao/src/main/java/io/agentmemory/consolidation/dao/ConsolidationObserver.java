package io.agentmemory.consolidation.dao;

/**
 * Is told how calls went and what became of jobs, for metrics, traces and logs: {@code
 * consolidation.observedBy(observer)}.
 *
 * <p>Called in the thread that made the call, after it, so it must be quick, and thread-safe. What
 * it throws is logged, and neither fails the call nor keeps other observers from being told. It
 * sees projects, but no contents, embeddings or ids.
 */
public interface ConsolidationObserver {

  /**
   * A call has ended. Calls through a view that has joined a transaction are told of as they end,
   * which is before that transaction does.
   *
   * @param call how it went
   */
  default void called(ObservedCall call) {}

  /**
   * Something became of jobs in a {@link JobWorker}.
   *
   * @param event what
   * @param count of how many jobs, at least one
   */
  default void jobs(JobEvent event, int count) {}
}
