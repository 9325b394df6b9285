package io.agentmemory.consolidation.schema;

import java.util.List;

/**
 * The database does not hold the schema that these options describe: it was never upgraded, or it
 * was upgraded with other options or by another definition.
 */
public final class SchemaMismatchException extends SchemaException {
  private static final long serialVersionUID = 1L;

  /** Serialized form: a list that is {@link java.io.Serializable}. */
  @SuppressWarnings("serial")
  private final List<String> differences;

  SchemaMismatchException(String message, List<String> differences) {
    super(differences.isEmpty() ? message : message + ": " + String.join("; ", differences));
    this.differences = List.copyOf(differences);
  }

  /**
   * What differs, one entry each, for example {@code dimensions: recorded 384, given 1536}.
   *
   * @return the differences; empty where the schema is missing altogether
   */
  public List<String> differences() {
    return differences;
  }
}
