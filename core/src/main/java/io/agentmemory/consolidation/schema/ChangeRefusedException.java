package io.agentmemory.consolidation.schema;

import java.util.List;

/**
 * A change was refused, and nothing of it was done: it would delete data that nobody allowed to be
 * deleted, or take along objects that are not the library's.
 */
public final class ChangeRefusedException extends SchemaException {
  private static final long serialVersionUID = 1L;

  /** Serialized form: a list that is {@link java.io.Serializable}. */
  @SuppressWarnings("serial")
  private final List<String> reasons;

  ChangeRefusedException(String message, List<String> reasons) {
    super(message + "\n  - " + String.join("\n  - ", reasons));
    this.reasons = List.copyOf(reasons);
  }

  /**
   * Why, one entry each.
   *
   * @return the reasons, at least one
   */
  public List<String> reasons() {
    return reasons;
  }
}
