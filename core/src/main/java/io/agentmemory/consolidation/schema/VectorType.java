package io.agentmemory.consolidation.schema;

import java.util.Locale;

/** The type of pgvector that an embedding is stored as. */
public enum VectorType {
  /** Four bytes a dimension; an HNSW index takes up to 2,000 dimensions. */
  VECTOR(2_000),
  /** Two bytes a dimension; an HNSW index takes up to 4,000 dimensions. */
  HALFVEC(4_000);

  private final int maxDimensions;

  VectorType(int maxDimensions) {
    this.maxDimensions = maxDimensions;
  }

  /**
   * How many dimensions an HNSW index over this type takes.
   *
   * @return the limit
   */
  public int maxDimensions() {
    return maxDimensions;
  }

  /**
   * The type's name in the database.
   *
   * @return {@code vector} or {@code halfvec}
   */
  public String typeName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The type for so many dimensions: the most precise one that an HNSW index takes.
   *
   * @param dimensions the number of dimensions
   * @return {@link #VECTOR} up to 2,000, {@link #HALFVEC} up to 4,000
   * @throws IllegalArgumentException below 1 or beyond 4,000
   */
  public static VectorType forDimensions(int dimensions) {
    for (VectorType type : values()) {
      if (dimensions >= 1 && dimensions <= type.maxDimensions) {
        return type;
      }
    }
    throw new IllegalArgumentException(
        "An embedding of "
            + dimensions
            + " dimensions cannot be indexed: pgvector's HNSW takes 1 to 2000 dimensions of vector"
            + " and up to 4000 of halfvec. Use a model, or a truncation of it, within that");
  }
}
