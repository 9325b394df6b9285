package io.agentmemory.consolidation.dao;

import org.jspecify.annotations.Nullable;

/**
 * Thrown by a {@link JobHandler} whose job would fail in any other try too: it is failed at once,
 * whatever retries it has left.
 */
public final class JobNotRetryableException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * With what the job is to say.
   *
   * @param message why it failed, kept as the job's error
   * @param cause what led to it; null: nothing
   */
  public JobNotRetryableException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
