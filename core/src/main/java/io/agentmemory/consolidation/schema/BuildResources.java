package io.agentmemory.consolidation.schema;

import org.jspecify.annotations.Nullable;

/**
 * What the build of an HNSW index may take.
 *
 * @param memory the most memory in bytes; more only where the server's {@code maintenance_work_mem}
 *     is more
 * @param workers the most parallel workers beside the session's own process; null for as many as
 *     the session's {@code max_parallel_maintenance_workers}
 */
record BuildResources(long memory, @Nullable Integer workers) {
  static final BuildResources DEFAULT = new BuildResources(256L << 20, null);

  private static final long LEAST_MEMORY = 1L << 20;

  /** What the server takes as {@code maintenance_work_mem}, in kB. */
  private static final long MOST_MEMORY = (long) Integer.MAX_VALUE << 10;

  /** What the server takes as {@code max_parallel_maintenance_workers}. */
  private static final int MOST_WORKERS = 1_024;

  BuildResources {
    if (memory < LEAST_MEMORY || memory > MOST_MEMORY) {
      throw new IllegalArgumentException(
          "The memory for an index build must be 1 MB to 2 TB, it is " + memory + " bytes");
    }
    if (workers != null && (workers < 0 || workers > MOST_WORKERS)) {
      throw new IllegalArgumentException(
          "The workers of an index build must be 0 to " + MOST_WORKERS + ", they are " + workers);
    }
  }

  BuildResources withMemory(long bytes) {
    return new BuildResources(bytes, workers);
  }

  BuildResources withWorkers(int most) {
    return new BuildResources(memory, most);
  }
}
