package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.schema.ConsolidationException;

/**
 * A phase was recorded before, and its data with it: by an earlier try of the job, or by a call
 * whose answer was lost. What was to be written under it now must not be: let the exception end the
 * transaction, and go on with the next phase.
 */
public final class PhaseAlreadyRecordedException extends ConsolidationException {
  private static final long serialVersionUID = 1L;

  /** The phase that was recorded before. */
  private final String phase;

  PhaseAlreadyRecordedException(String jobId, String phase) {
    super(
        "The phase %s of the job %s is recorded already"
            .formatted(Checks.quoted(phase), Checks.quoted(jobId)));
    this.phase = phase;
  }

  /**
   * The phase that was recorded before.
   *
   * @return its name
   */
  public String phase() {
    return phase;
  }
}
