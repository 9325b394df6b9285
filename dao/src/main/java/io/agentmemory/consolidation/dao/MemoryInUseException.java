package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.schema.ConsolidationException;
import java.util.List;

/** A memory was not deleted because its lineage would be lost with it. */
public final class MemoryInUseException extends ConsolidationException {
  private static final long serialVersionUID = 1L;

  /** The id of the memory that was to be deleted. */
  private final String id;

  /** Serialized form: a list that is {@link java.io.Serializable}. */
  @SuppressWarnings("serial")
  private final List<String> dependentIds;

  MemoryInUseException(String id, List<String> dependentIds, String why) {
    super("The memory %s was not deleted: %s".formatted(Checks.quoted(id), why));
    this.id = id;
    this.dependentIds = List.copyOf(dependentIds);
  }

  /**
   * The memory that was to be deleted.
   *
   * @return its id
   */
  public String id() {
    return id;
  }

  /**
   * The memories that were consolidated from it.
   *
   * @return their ids, in order; empty where it was refused for its sources alone
   */
  public List<String> dependentIds() {
    return dependentIds;
  }
}
