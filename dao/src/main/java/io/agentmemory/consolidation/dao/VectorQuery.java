package io.agentmemory.consolidation.dao;

import org.jspecify.annotations.Nullable;

/**
 * A search for the memories nearest to an embedding by cosine distance. Immutable; each method
 * returns another query.
 *
 * @param embedding what to be near to
 * @param limit how many memories to find, from 1 to 10,000
 * @param filter which memories to consider
 * @param effort how hard to try; null for what suits the limit and the filter
 * @param maxDistance the largest cosine distance of a hit, from 0 to 2; null for any
 * @param exact whether to compare every memory that passes the filter, however many there are
 */
public record VectorQuery(
    Embedding embedding,
    int limit,
    MemoryFilter filter,
    @Nullable SearchEffort effort,
    @Nullable Double maxDistance,
    boolean exact) {

  /**
   * Checks the parts.
   *
   * @param embedding what to be near to
   * @param limit how many memories to find
   * @param filter which memories to consider
   * @param effort how hard to try; null for what suits the limit and the filter
   * @param maxDistance the largest cosine distance of a hit; null for any
   * @param exact whether to compare every memory that passes the filter
   */
  public VectorQuery {
    Checks.notNull("embedding", embedding);
    MemoryChecks.limit("limit", limit);
    Checks.notNull("filter", filter);
    MemoryChecks.maxDistance(maxDistance);
  }

  /**
   * A search among all memories of a project.
   *
   * @param embedding what to be near to
   * @param limit how many memories to find
   * @return the query
   */
  public static VectorQuery of(Embedding embedding, int limit) {
    return new VectorQuery(embedding, limit, MemoryFilter.none(), null, null, false);
  }

  /**
   * The same among fewer memories.
   *
   * @param filter which memories to consider
   * @return another query
   */
  public VectorQuery withFilter(MemoryFilter filter) {
    return new VectorQuery(embedding, limit, filter, effort, maxDistance, exact);
  }

  /**
   * The same trying harder or less hard.
   *
   * @param effort how hard to try
   * @return another query
   */
  public VectorQuery withEffort(SearchEffort effort) {
    return new VectorQuery(
        embedding, limit, filter, Checks.notNull("effort", effort), maxDistance, exact);
  }

  /**
   * The same without hits that are farther away. They are left out of the nearest ones when these
   * have been found, so that this never makes a search slower.
   *
   * @param maxDistance the largest cosine distance, from 0 to 2; 1 less a similarity
   * @return another query
   */
  public VectorQuery withMaxDistance(double maxDistance) {
    return new VectorQuery(embedding, limit, filter, effort, maxDistance, exact);
  }

  /**
   * The same comparing every memory that passes the filter, which takes time in proportion to the
   * project's size.
   *
   * @return another query
   */
  public VectorQuery exactly() {
    return new VectorQuery(embedding, limit, filter, effort, maxDistance, true);
  }
}
