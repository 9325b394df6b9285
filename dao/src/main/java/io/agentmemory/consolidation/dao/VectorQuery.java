package io.agentmemory.consolidation.dao;

/**
 * A search for the memories nearest to an embedding by cosine distance. Immutable.
 *
 * @param embedding what to be near to
 * @param limit how many memories to find, from 1 to 10,000
 * @param filter which memories to consider
 */
public record VectorQuery(Embedding embedding, int limit, MemoryFilter filter) {

  /**
   * Checks the parts.
   *
   * @param embedding what to be near to
   * @param limit how many memories to find
   * @param filter which memories to consider
   */
  public VectorQuery {
    Checks.notNull("embedding", embedding);
    MemoryChecks.limit("limit", limit);
    Checks.notNull("filter", filter);
  }

  /**
   * A search among all memories of a project.
   *
   * @param embedding what to be near to
   * @param limit how many memories to find
   * @return the query
   */
  public static VectorQuery of(Embedding embedding, int limit) {
    return new VectorQuery(embedding, limit, MemoryFilter.none());
  }

  /**
   * The same among fewer memories.
   *
   * @param filter which memories to consider
   * @return another query
   */
  public VectorQuery withFilter(MemoryFilter filter) {
    return new VectorQuery(embedding, limit, filter);
  }
}
