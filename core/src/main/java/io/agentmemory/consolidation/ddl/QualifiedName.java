package io.agentmemory.consolidation.ddl;

/**
 * The name of a table, type or index together with its schema.
 *
 * <p>Immutable and thread-safe. Both parts are checked by {@link Identifiers#check}.
 *
 * @param schema the schema, as it stands in the catalog, without quotes
 * @param name the name within the schema, without quotes
 */
public record QualifiedName(String schema, String name) {
  /**
   * Checks both parts.
   *
   * @param schema the schema, as it stands in the catalog, without quotes
   * @param name the name within the schema, without quotes
   */
  public QualifiedName {
    Identifiers.check("schema", schema);
    Identifiers.check("relation", name);
  }

  /**
   * The name as SQL, both parts quoted.
   *
   * @return for example {@code "public"."task_memories"}
   */
  public String sql() {
    return Identifiers.quoted(schema) + '.' + Identifiers.quoted(name);
  }

  @Override
  public String toString() {
    return sql();
  }
}
