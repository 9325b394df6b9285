package io.agentmemory.consolidation.schema;

import java.util.List;

/**
 * What a conversion of embeddings did.
 *
 * <p>Immutable and thread-safe.
 *
 * @param converted whether the column was turned into a vector by this call
 * @param rows how many rows this call wrote to that end; those that others wrote meanwhile, or an
 *     earlier call that was cut short, are not among them
 * @param notes what a person should know of it, for example that an earlier call was resumed
 */
public record ConversionResult(boolean converted, long rows, List<String> notes) {
  /**
   * Copies the list.
   *
   * @param converted whether the column was turned into a vector by this call
   * @param rows how many rows this call wrote to that end
   * @param notes what a person should know of it
   */
  public ConversionResult {
    notes = List.copyOf(notes);
  }
}
