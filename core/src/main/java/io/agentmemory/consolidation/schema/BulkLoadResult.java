package io.agentmemory.consolidation.schema;

import java.time.Duration;
import java.util.List;

/**
 * What a {@linkplain Schema#bulkLoad bulk load} did.
 *
 * <p>Immutable and thread-safe.
 *
 * @param built the indexes built, as qualified and quoted names
 * @param notes what a person should know of it, for example that a graph did not fit the memory
 * @param loading how long the load took
 * @param building how long building the indexes and analysing took
 */
public record BulkLoadResult(
    List<String> built, List<String> notes, Duration loading, Duration building) {
  /**
   * Copies the lists.
   *
   * @param built the indexes built, as qualified and quoted names
   * @param notes what a person should know of it, for example that a graph did not fit the memory
   * @param loading how long the load took
   * @param building how long building the indexes and analysing took
   */
  public BulkLoadResult {
    built = List.copyOf(built);
    notes = List.copyOf(notes);
  }
}
