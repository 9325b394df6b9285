package io.agentmemory.consolidation.schema;

import java.util.ArrayList;
import java.util.List;

/**
 * What an upgrade did.
 *
 * <p>Immutable and thread-safe.
 *
 * @param applied the revisions applied, in order; empty where nothing was to do
 * @param built the indexes built online, as qualified and quoted names
 * @param building the indexes still to be built: by somebody else who does so now, or, where a
 *     warning says so, by a later upgrade. What they are for works without them, only slower
 * @param notes what a person should know of it, for example that the extension was created
 * @param warnings what should be seen to, for example a pgvector with known faults
 */
public record UpgradeResult(
    List<String> applied,
    List<String> built,
    List<String> building,
    List<String> notes,
    List<String> warnings) {
  /**
   * Copies the lists.
   *
   * @param applied the revisions applied, in order; empty where nothing was to do
   * @param built the indexes built online, as qualified and quoted names
   * @param building the indexes still to be built: by somebody else who does so now, or, where a
   *     warning says so, by a later upgrade. What they are for works without them, only slower
   * @param notes what a person should know of it, for example that the extension was created
   * @param warnings what should be seen to, for example a pgvector with known faults
   */
  public UpgradeResult {
    applied = List.copyOf(applied);
    built = List.copyOf(built);
    building = List.copyOf(building);
    notes = List.copyOf(notes);
    warnings = List.copyOf(warnings);
  }

  /** The same after its indexes were built. */
  UpgradeResult withBuilt(List<String> indexes, List<String> more) {
    return new UpgradeResult(applied, indexes, List.of(), joined(notes, more), warnings);
  }

  /** The same where somebody else builds them. */
  UpgradeResult withNote(String note) {
    return new UpgradeResult(applied, built, building, joined(notes, List.of(note)), warnings);
  }

  /** The same where nobody does. */
  UpgradeResult withWarning(String warning) {
    List<String> more = joined(warnings, List.of(warning));
    return new UpgradeResult(applied, built, building, notes, more);
  }

  private static List<String> joined(List<String> first, List<String> second) {
    List<String> all = new ArrayList<>(first);
    all.addAll(second);
    return all;
  }
}
