package io.agentmemory.consolidation.dao;

import java.util.List;

/**
 * Where a memory comes from, or what became of it.
 *
 * @param steps the memories, each once, the nearest first, those of one distance in order of their
 *     ids
 * @param complete false where there is more beyond the distance asked for, or more than fits
 */
public record Lineage(List<LineageStep> steps, boolean complete) {

  /**
   * Keeps an unmodifiable copy of the steps.
   *
   * @param steps the memories
   * @param complete whether these are all
   */
  public Lineage {
    steps = List.copyOf(steps);
  }
}
