package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.schema.ConsolidationException;

/**
 * A job is no longer this worker's: it was cancelled, finished, given to another worker, or
 * deleted. What was to be written with it must not be: let the exception end the transaction.
 */
public final class LeaseLostException extends ConsolidationException {
  private static final long serialVersionUID = 1L;

  /** The id of the job whose lease was lost. */
  private final String jobId;

  LeaseLostException(String jobId, String operation) {
    super(
        "The lease of the job %s is lost (%s): it was cancelled, finished or given to another worker"
            .formatted(Checks.quoted(jobId), operation));
    this.jobId = jobId;
  }

  /**
   * The job whose lease is lost.
   *
   * @return its id
   */
  public String jobId() {
    return jobId;
  }
}
