package io.agentmemory.consolidation.ddl;

import java.util.Objects;

/**
 * A policy of row-level security: for every role and every command, the rows that there are and the
 * rows that may be written are those for which one condition holds.
 *
 * <p>Immutable and thread-safe.
 *
 * @param name its name, unique among those of the table
 * @param table the table
 * @param condition an expression over the table's columns, both {@code USING} and {@code WITH
 *     CHECK}
 */
public record Policy(String name, QualifiedName table, String condition) {
  /**
   * Checks the name.
   *
   * @param name its name, unique among those of the table
   * @param table the table
   * @param condition an expression over the table's columns, both {@code USING} and {@code WITH
   *     CHECK}
   */
  public Policy {
    Identifiers.check("policy", name);
    Objects.requireNonNull(table, "table");
    Objects.requireNonNull(condition, "condition");
  }
}
