package io.agentmemory.consolidation.dao;

/**
 * A memory that is near another one.
 *
 * @param id the memory's id
 * @param distance the cosine distance, from 0 (same direction) to 2 (opposite)
 */
public record Neighbour(String id, double distance) {

  /**
   * The cosine similarity.
   *
   * @return from 1 (same direction) to -1 (opposite)
   */
  public double similarity() {
    return 1 - distance;
  }
}
