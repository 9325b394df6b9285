package io.agentmemory.consolidation.ddl;

/**
 * A named check constraint.
 *
 * <p>Immutable and thread-safe.
 *
 * @param name its name, without quotes
 * @param condition the condition as SQL over one row
 */
public record Check(String name, String condition) {
  /**
   * Checks the name and the condition.
   *
   * @param name its name, without quotes
   * @param condition the condition as SQL over one row
   */
  public Check {
    Identifiers.check("check constraint", name);
    Expressions.check("condition of check " + name, condition);
  }
}
