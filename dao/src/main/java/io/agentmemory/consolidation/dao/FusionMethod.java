package io.agentmemory.consolidation.dao;

/** How the scores of a search by vector and of one by words become one. */
public enum FusionMethod {
  /**
   * The weighted mean of two shares. The words' share is the square of the score over the best one.
   * The vector's share is the similarity, damped for short texts (see {@link
   * FusedQuery#lengthDamping}) and scaled to what the candidates span. A memory without an
   * embedding has no share by vector.
   */
  CONVEX,
  /**
   * The weighted sum of {@code 1 / (60 + rank)} in either search, with nothing for a memory that is
   * not among its candidates. It knows no scores, which costs recall; for comparison with systems
   * that do so.
   */
  RECIPROCAL_RANK
}
