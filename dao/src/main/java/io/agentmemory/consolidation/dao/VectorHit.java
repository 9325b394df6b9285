package io.agentmemory.consolidation.dao;

/**
 * A memory found by its vector.
 *
 * @param memory the memory
 * @param distance the cosine distance to the query, from 0 (same direction) to 2 (opposite)
 */
public record VectorHit(ConsolidatedMemory memory, double distance) {

  /**
   * The cosine similarity to the query.
   *
   * @return from 1 (same direction) to -1 (opposite)
   */
  public double similarity() {
    return 1 - distance;
  }
}
