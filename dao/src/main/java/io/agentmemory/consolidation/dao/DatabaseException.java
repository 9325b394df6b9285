package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.schema.ConsolidationException;
import org.jspecify.annotations.Nullable;

/**
 * The database refused a call, could not be reached, or did not answer in time.
 *
 * <p>Message and causes quote no row and no values of a statement: the server's details are left
 * out of both.
 *
 * <p>In a transaction that the call had joined, {@link #outcome} and {@link #isRetryable} are about
 * the transaction: it can only be rolled back, and tried again as a whole.
 */
public final class DatabaseException extends ConsolidationException {
  private static final long serialVersionUID = 1L;

  /** The call that failed. */
  private final String operation;

  /** The SQLSTATE, null where there is none. */
  private final @Nullable String sqlState;

  /** What is known about the work. */
  private final Outcome outcome;

  /** Whether trying again is safe and may help. */
  private final boolean retryable;

  DatabaseException(
      String operation,
      String message,
      @Nullable String sqlState,
      Outcome outcome,
      boolean retryable,
      @Nullable Throwable cause) {
    super(
        "%s failed%s: %s%s"
            .formatted(
                operation,
                sqlState == null ? "" : " (SQLSTATE " + sqlState + ")",
                message,
                outcome == Outcome.UNKNOWN ? ". Whether it was done is not known" : ""),
        cause);
    this.operation = operation;
    this.sqlState = sqlState;
    this.outcome = outcome;
    this.retryable = retryable && outcome == Outcome.DID_NOT_HAPPEN;
  }

  /**
   * The call that failed.
   *
   * @return for example {@code jobs.claim}
   */
  public String operation() {
    return operation;
  }

  /**
   * What the database, or the driver, says that went wrong.
   *
   * @return a SQLSTATE of five characters, null where there is none
   */
  public @Nullable String sqlState() {
    return sqlState;
  }

  /**
   * Whether the work was done.
   *
   * @return what is known about it
   */
  public Outcome outcome() {
    return outcome;
  }

  /**
   * Whether the same call may be tried again: it did not happen, and the reason may have passed
   * (lost connections, restarts, deadlocks, serialization failures, timeouts, a full pool).
   *
   * @return true if trying again is safe and may help
   */
  public boolean isRetryable() {
    return retryable;
  }
}
