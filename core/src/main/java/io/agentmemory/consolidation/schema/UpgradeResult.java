package io.agentmemory.consolidation.schema;

import java.util.List;

/**
 * What an upgrade did.
 *
 * <p>Immutable and thread-safe.
 *
 * @param applied the revisions applied, in order; empty where nothing was to do
 * @param notes what a person should know of it, for example that the extension was created
 * @param warnings what should be seen to, for example a pgvector with known faults
 */
public record UpgradeResult(List<String> applied, List<String> notes, List<String> warnings) {
  /**
   * Copies the lists.
   *
   * @param applied the revisions applied, in order; empty where nothing was to do
   * @param notes what a person should know of it, for example that the extension was created
   * @param warnings what should be seen to, for example a pgvector with known faults
   */
  public UpgradeResult {
    applied = List.copyOf(applied);
    notes = List.copyOf(notes);
    warnings = List.copyOf(warnings);
  }
}
