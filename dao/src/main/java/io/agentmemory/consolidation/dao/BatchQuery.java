package io.agentmemory.consolidation.dao;

import org.jspecify.annotations.Nullable;

/**
 * What the searches of a batch have in common: each finds the memories nearest to an embedding of
 * its own, by cosine distance. Immutable; each method returns another query.
 *
 * @param limit how many memories each search finds, from 1 to 10,000
 * @param filter which memories to consider
 * @param effort how hard to try; null for what suits the limit and the filter
 * @param maxDistance the largest cosine distance of a hit, from 0 to 2; null for any
 * @param exact whether to compare every memory that passes the filter, however many there are
 */
public record BatchQuery(
    int limit,
    MemoryFilter filter,
    @Nullable SearchEffort effort,
    @Nullable Double maxDistance,
    boolean exact) {

  /** How many searches one batch may have. */
  public static final int MOST_SEARCHES = 1_000;

  /**
   * Checks the parts.
   *
   * @param limit how many memories each search finds
   * @param filter which memories to consider
   * @param effort how hard to try; null for what suits the limit and the filter
   * @param maxDistance the largest cosine distance of a hit; null for any
   * @param exact whether to compare every memory that passes the filter
   */
  public BatchQuery {
    MemoryChecks.limit("limit", limit);
    Checks.notNull("filter", filter);
    MemoryChecks.maxDistance(maxDistance);
  }

  /**
   * Searches among all memories of a project.
   *
   * @param limit how many memories each search finds
   * @return the query
   */
  public static BatchQuery of(int limit) {
    return new BatchQuery(limit, MemoryFilter.none(), null, null, false);
  }

  /**
   * The same among fewer memories.
   *
   * @param filter which memories to consider
   * @return another query
   */
  public BatchQuery withFilter(MemoryFilter filter) {
    return new BatchQuery(limit, filter, effort, maxDistance, exact);
  }

  /**
   * The same trying harder or less hard.
   *
   * @param effort how hard to try
   * @return another query
   */
  public BatchQuery withEffort(SearchEffort effort) {
    return new BatchQuery(limit, filter, Checks.notNull("effort", effort), maxDistance, exact);
  }

  /**
   * The same without hits that are farther away. They are left out of the nearest ones when these
   * have been found, so that this never makes a search slower.
   *
   * @param maxDistance the largest cosine distance, from 0 to 2; 1 less a similarity
   * @return another query
   */
  public BatchQuery withMaxDistance(double maxDistance) {
    return new BatchQuery(limit, filter, effort, maxDistance, exact);
  }

  /**
   * The same comparing every memory that passes the filter, which takes time in proportion to the
   * project's size for each search.
   *
   * @return another query
   */
  public BatchQuery exactly() {
    return new BatchQuery(limit, filter, effort, maxDistance, true);
  }

  /** Refuses batches of which the hits could take more memory than a page of a list. */
  void check(String name, int searches, int mostHits) {
    if (searches > MOST_SEARCHES) {
      throw new InvalidInputException(
          "%s must be at most %,d at a time, were %,d".formatted(name, MOST_SEARCHES, searches));
    }
    if ((long) searches * limit > mostHits) {
      throw new InvalidInputException(
          "%s times limit must be at most %,d, was %,d times %,d: ask for fewer at a time"
              .formatted(name, mostHits, searches, limit));
    }
  }
}
