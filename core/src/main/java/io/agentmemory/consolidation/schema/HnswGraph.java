package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Index;

/**
 * How large the graph of an HNSW index is while pgvector builds it in memory: a node has its
 * vector, 2 m neighbours of 16 bytes on the lowest layer, and a part that is the same for all; of
 * that 268 bytes were measured with pgvector 0.8.
 */
final class HnswGraph {
  private static final int NODE = 272;
  private static final int NEIGHBOUR = 16;

  /** What a parallel build takes beside the graph, and then some. */
  private static final long BESIDE = 4L << 20;

  private static final double MARGIN = 1.05;

  private HnswGraph() {}

  /** The memory for the graph of so many embeddings; a little too much rather than too little. */
  static long bytes(SchemaOptions options, Index index, long rows) {
    int m = index.parameters().getOrDefault("m", HnswParameters.DEFAULT.m());
    return bytes(vector(options, index), m, rows);
  }

  /** The same for {@value SearchIndexes#AMONG_ALL}. */
  static long bytes(SchemaOptions options, long rows) {
    return bytes(embedding(options), options.hnsw().m(), rows);
  }

  private static long bytes(long vector, int m, long rows) {
    return BESIDE + (long) (MARGIN * rows * (NODE + vector + 2L * m * NEIGHBOUR));
  }

  private static long vector(SchemaOptions options, Index index) {
    return index.name().equals(SearchIndexes.BY_PROJECT)
        ? (long) Short.BYTES * SearchIndexes.codedDimensions(options)
        : embedding(options);
  }

  private static long embedding(SchemaOptions options) {
    int width = options.vectorType() == VectorType.VECTOR ? Float.BYTES : Short.BYTES;
    return (long) width * options.dimensions();
  }
}
