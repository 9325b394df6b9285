package io.agentmemory.consolidation.schema;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the history of a database says, beside what this version of the library and the given
 * changelogs define.
 *
 * <p>Immutable and thread-safe.
 *
 * @param applied what was applied, oldest first
 * @param missing the revisions that {@code upgrade()} would apply, in order
 * @param building the indexes that are still to be made online, as qualified and quoted names
 * @param hostTableAdopted whether the host's table is the host's own; before the first upgrade,
 *     whether it would be adopted
 * @param extensionSchema the schema of the extension {@code vector}, null where it is missing
 * @param extensionVersion its version, null where it is missing
 */
public record SchemaStatus(
    List<AppliedRevision> applied,
    List<String> missing,
    List<String> building,
    boolean hostTableAdopted,
    @Nullable String extensionSchema,
    @Nullable String extensionVersion) {
  /**
   * Copies the lists.
   *
   * @param applied what was applied, oldest first
   * @param missing the revisions that {@code upgrade()} would apply, in order
   * @param building the indexes that are still to be made online, as qualified and quoted names
   * @param hostTableAdopted whether the host's table is the host's own; before the first upgrade,
   *     whether it would be adopted
   * @param extensionSchema the schema of the extension {@code vector}, null where it is missing
   * @param extensionVersion its version, null where it is missing
   */
  public SchemaStatus {
    applied = List.copyOf(applied);
    missing = List.copyOf(missing);
    building = List.copyOf(building);
  }

  /**
   * Whether {@code upgrade()} would find nothing to do.
   *
   * @return true if nothing is missing or still to be built
   */
  public boolean upToDate() {
    return missing.isEmpty() && building.isEmpty();
  }

  /**
   * A revision that was applied.
   *
   * @param stream {@code consolidation}, or the name of an application's changelog
   * @param revision its name
   * @param appliedAt when, by the database's clock
   * @param appliedBy the role that applied it
   */
  public record AppliedRevision(
      String stream, String revision, Instant appliedAt, String appliedBy) {}
}
