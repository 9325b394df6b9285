package io.agentmemory.consolidation.dao;

/** How the nearest memories were found. */
public enum SearchStrategy {
  /** Every memory of the project that matches the filter was compared. */
  EXACT,
  /** The HNSW index that keeps projects apart was followed among the rows of the project. */
  HNSW_BY_PROJECT,
  /** The HNSW index over all rows was followed until enough memories of the project turned up. */
  HNSW,
  /**
   * The HNSW index did not give as many memories as were asked for, so that every memory of the
   * project that matches the filter was compared.
   */
  HNSW_THEN_EXACT,
  /** No vectors were compared. */
  NONE
}
