package io.agentmemory.consolidation.schema;

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
}
