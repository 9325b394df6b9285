package io.agentmemory.consolidation.schema;

import java.util.List;

/**
 * What a downgrade did.
 *
 * <p>Immutable and thread-safe.
 *
 * @param undone the revisions taken back, in order; empty where nothing was to do
 * @param notes what a person should know of it, for example that the extension stays
 */
public record DowngradeResult(List<String> undone, List<String> notes) {
  /**
   * Copies the lists.
   *
   * @param undone the revisions taken back, in order; empty where nothing was to do
   * @param notes what a person should know of it, for example that the extension stays
   */
  public DowngradeResult {
    undone = List.copyOf(undone);
    notes = List.copyOf(notes);
  }
}
