package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.schema.ConsolidationException;
import org.jspecify.annotations.Nullable;

/** An argument was refused, before anything was sent to the database. */
public final class InvalidInputException extends ConsolidationException {
  private static final long serialVersionUID = 1L;

  InvalidInputException(String message) {
    super(message);
  }

  InvalidInputException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
