package io.agentmemory.consolidation.schema;

import org.jspecify.annotations.Nullable;

/**
 * The schema could not be read, upgraded, downgraded or verified. What was in a transaction is
 * rolled back; {@link Schema} says where something may be left.
 */
public class SchemaException extends ConsolidationException {
  private static final long serialVersionUID = 1L;

  SchemaException(String message) {
    super(message);
  }

  SchemaException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
