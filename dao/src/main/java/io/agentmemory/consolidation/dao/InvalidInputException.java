package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.schema.ConsolidationException;
import org.jspecify.annotations.Nullable;

/**
 * An argument, or the transaction that was joined, cannot serve. As a rule nothing has been sent to
 * the database; where a method says otherwise, its own work is undone.
 */
public final class InvalidInputException extends ConsolidationException {
  private static final long serialVersionUID = 1L;

  InvalidInputException(String message) {
    super(message);
  }

  InvalidInputException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
