package io.agentmemory.consolidation.schema;

/**
 * What is to be loaded while the HNSW indexes are away; see {@link Schema#bulkLoad}. It takes
 * connections of its own and has committed when it returns.
 *
 * @param <E> what it may throw; {@link RuntimeException} where nothing is declared
 */
@FunctionalInterface
public interface BulkLoad<E extends Exception> {
  /**
   * Loads.
   *
   * @throws E if it cannot; the indexes are built again all the same
   */
  void run() throws E;
}
