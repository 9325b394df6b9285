package io.agentmemory.consolidation.schema;

import org.jspecify.annotations.Nullable;

/** The deadline passed while somebody else held the upgrade lock or a table. Try again later. */
public final class SchemaBusyException extends SchemaException {
  private static final long serialVersionUID = 1L;

  SchemaBusyException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
