package io.agentmemory.consolidation.schema;

import java.util.List;
import java.util.Set;

/**
 * What is in the database, as far as the data access objects need to know.
 *
 * <p>Immutable and thread-safe.
 *
 * @param revisions the applied revisions of every stream
 * @param extensionSchema the schema that the extension {@code vector} lives in
 * @param extensionVersion the extension's version, for example {@code 0.8.1}
 * @param serverVersionNum the server's {@code server_version_num}, for example {@code 150012}
 */
public record SchemaState(
    Set<String> revisions, String extensionSchema, String extensionVersion, int serverVersionNum) {
  /**
   * Copies the revisions.
   *
   * @param revisions the applied revisions of every stream
   * @param extensionSchema the schema that the extension {@code vector} lives in
   * @param extensionVersion the extension's version, for example {@code 0.8.1}
   * @param serverVersionNum the server's {@code server_version_num}, for example {@code 150012}
   */
  public SchemaState {
    revisions = Set.copyOf(revisions);
  }

  /**
   * Refuses to go on without a revision.
   *
   * @param revision the revision
   * @param purpose what needs it, as a plural, for example {@code consolidation jobs}
   * @throws SchemaMismatchException if it has not been applied
   */
  public void require(String revision, String purpose) {
    if (!revisions.contains(revision)) {
      throw new SchemaMismatchException(
          "Revision %s, which %s need, has not been applied to this database: upgrade the schema to it"
              .formatted(revision, purpose),
          List.of());
    }
  }
}
