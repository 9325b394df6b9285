package io.agentmemory.consolidation.schema;

import org.jspecify.annotations.Nullable;

/**
 * The root of what this library throws on purpose. Misuse of arguments is an {@code
 * InvalidInputException}, one of these, in the data access, and an {@link IllegalArgumentException}
 * or {@link NullPointerException} in {@code schema} and {@code ddl}.
 */
public abstract class ConsolidationException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * An exception with its message.
   *
   * @param message what happened, and what to do about it
   */
  protected ConsolidationException(String message) {
    super(message);
  }

  /**
   * An exception with its message and cause.
   *
   * @param message what happened, and what to do about it
   * @param cause what led to it, or null
   */
  protected ConsolidationException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
