package io.agentmemory.consolidation.dao;

/**
 * How hard a search by vector tries where it does not compare every memory. More finds more of the
 * truly nearest ones, and takes longer about in proportion. Immutable.
 *
 * @param candidates how many candidates the index collects at a time ({@code hnsw.ef_search}), from
 *     1 to 1,000
 */
public record SearchEffort(int candidates) {
  /** Fastest; a few of the nearest may be missed. */
  public static final SearchEffort LOW = new SearchEffort(40);

  /** Nearly always all of the nearest. */
  public static final SearchEffort MEDIUM = new SearchEffort(100);

  /** For the few searches in which nothing should be missed that an index can find. */
  public static final SearchEffort HIGH = new SearchEffort(250);

  /**
   * Checks the number.
   *
   * @param candidates how many candidates the index collects at a time, from 1 to 1,000
   */
  public SearchEffort {
    Checks.between("candidates", candidates, 1, SearchRule.MOST_CANDIDATES);
  }
}
