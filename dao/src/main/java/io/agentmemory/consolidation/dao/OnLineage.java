package io.agentmemory.consolidation.dao;

/** What deleting a memory does where it has sources, or others were consolidated from it. */
public enum OnLineage {
  /** Nothing is deleted: {@link MemoryInUseException}. */
  REFUSE,
  /**
   * The memory is taken out of its lineage. Task memories that were consolidated into it count as
   * not consolidated again; memories that were consolidated from it no longer name it among their
   * sources.
   */
  DETACH
}
