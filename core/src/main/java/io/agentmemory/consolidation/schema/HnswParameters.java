package io.agentmemory.consolidation.schema;

/**
 * How the HNSW graph is built.
 *
 * <p>Immutable and thread-safe.
 *
 * @param m connections a node, 2 to 100
 * @param efConstruction candidates looked at while a row is inserted, 4 to 1000 and at least twice
 *     {@code m}
 */
public record HnswParameters(int m, int efConstruction) {
  /** What pgvector takes when nothing is said; then nothing is said in the SQL either. */
  public static final HnswParameters DEFAULT = new HnswParameters(16, 64);

  /**
   * Checks the limits of pgvector.
   *
   * @param m connections a node, 2 to 100
   * @param efConstruction candidates looked at while a row is inserted, 4 to 1000 and at least
   *     twice {@code m}
   */
  public HnswParameters {
    if (m < 2 || m > 100) {
      throw new IllegalArgumentException("HNSW m must be 2 to 100, it is " + m);
    }
    if (efConstruction < 4 || efConstruction > 1000 || efConstruction < 2 * m) {
      throw new IllegalArgumentException(
          "HNSW ef_construction must be 4 to 1000 and at least twice m ("
              + m
              + "), it is "
              + efConstruction);
    }
  }
}
