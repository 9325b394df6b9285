package io.agentmemory.consolidation.dao;

import org.jspecify.annotations.Nullable;

/**
 * Which pairs of a project's memories are alike. Immutable; each method returns another query.
 *
 * @param minSimilarity the least cosine similarity of a pair, above -1 and up to 1
 * @param filter which memories to consider, on either side
 * @param unconsolidated whether to leave out memories that others have been consolidated from
 * @param mostNeighbours how many neighbours of one memory to look at, from 1 to 1,000, without
 *     those that are left out; where there are more, the result says so
 * @param effort how hard to try; null for what suits the neighbours' number and the filter
 * @param exact whether to compare every memory with every other, however many there are
 */
public record PairQuery(
    double minSimilarity,
    MemoryFilter filter,
    boolean unconsolidated,
    int mostNeighbours,
    @Nullable SearchEffort effort,
    boolean exact) {
  private static final int NEIGHBOURS = 100;

  /**
   * Checks the parts.
   *
   * @param minSimilarity the least cosine similarity of a pair
   * @param filter which memories to consider
   * @param unconsolidated whether to leave out memories that others have been consolidated from
   * @param mostNeighbours how many neighbours of one memory to look at
   * @param effort how hard to try; null for what suits the neighbours' number and the filter
   * @param exact whether to compare every memory with every other
   */
  public PairQuery {
    if (!(minSimilarity > -1 && minSimilarity <= 1)) {
      throw new InvalidInputException(
          "minSimilarity must be above -1 (opposite) and at most 1 (same direction), was "
              + minSimilarity);
    }
    Checks.notNull("filter", filter);
    Checks.between("mostNeighbours", mostNeighbours, 1, 1_000);
  }

  /**
   * All pairs from a similarity on, a hundred neighbours of one memory at most.
   *
   * @param minSimilarity the least cosine similarity of a pair, above -1 and up to 1;
   *     near-duplicates have about 0.9, depending on the model
   * @return the query
   */
  public static PairQuery of(double minSimilarity) {
    return new PairQuery(minSimilarity, MemoryFilter.none(), false, NEIGHBOURS, null, false);
  }

  /**
   * The same among fewer memories.
   *
   * @param filter which memories to consider, on either side
   * @return another query
   */
  public PairQuery withFilter(MemoryFilter filter) {
    return new PairQuery(minSimilarity, filter, unconsolidated, mostNeighbours, effort, exact);
  }

  /**
   * The same without memories that others have been consolidated from.
   *
   * @return another query
   */
  public PairQuery amongUnconsolidated() {
    return new PairQuery(minSimilarity, filter, true, mostNeighbours, effort, exact);
  }

  /**
   * The same looking at more or fewer neighbours of one memory.
   *
   * @param mostNeighbours how many, from 1 to 1,000; times a page's size at most 100,000
   * @return another query
   */
  public PairQuery withMostNeighbours(int mostNeighbours) {
    return new PairQuery(minSimilarity, filter, unconsolidated, mostNeighbours, effort, exact);
  }

  /**
   * The same trying harder or less hard.
   *
   * @param effort how hard to try
   * @return another query
   */
  public PairQuery withEffort(SearchEffort effort) {
    return new PairQuery(
        minSimilarity,
        filter,
        unconsolidated,
        mostNeighbours,
        Checks.notNull("effort", effort),
        exact);
  }

  /**
   * The same comparing every memory with every other.
   *
   * @return another query
   */
  public PairQuery exactly() {
    return new PairQuery(minSimilarity, filter, unconsolidated, mostNeighbours, effort, true);
  }

  double maxDistance() {
    return Math.max(0, 1 - minSimilarity);
  }

  /** The nearest neighbours of each memory that are similar enough. */
  BatchQuery neighbours(int limit) {
    return new BatchQuery(limit, filter, effort, maxDistance(), exact);
  }
}
