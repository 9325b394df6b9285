package io.agentmemory.consolidation.dao;

/** What becomes of a job in a {@link JobWorker}. */
public enum JobEvent {
  /** The worker has claimed it. */
  CLAIMED,
  /** It is completed. */
  COMPLETED,
  /** A try failed, and the job waits for the next one. */
  RETRIED,
  /** It failed, and is not tried again. */
  FAILED,
  /** The worker stopped before it was done, and handed it back. */
  HANDED_BACK,
  /** It was no longer the worker's when the worker wanted to write. */
  LEASE_LOST,
  /** The worker found it without a sign of life, and ended the try of the one that had it. */
  RESCUED
}
