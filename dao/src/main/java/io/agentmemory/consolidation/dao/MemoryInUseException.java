package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.schema.ConsolidationException;

/** A memory was not deleted because its lineage would be lost with it. */
public final class MemoryInUseException extends ConsolidationException {
  private static final long serialVersionUID = 1L;

  /** The id of the memory that was to be deleted. */
  private final String id;

  MemoryInUseException(String id, String why) {
    super("The memory %s was not deleted: %s".formatted(Checks.quoted(id), why));
    this.id = id;
  }

  /**
   * The memory that was to be deleted.
   *
   * @return its id
   */
  public String id() {
    return id;
  }
}
