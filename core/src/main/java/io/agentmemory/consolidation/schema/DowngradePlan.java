package io.agentmemory.consolidation.schema;

import java.util.List;

/**
 * What a downgrade would do, statement by statement, and why it would be refused. What it says of
 * sizes, data and foreign objects is as of its making.
 *
 * <p>Immutable and thread-safe.
 *
 * @param statements in the order in which they run, after the tables were locked
 * @param obstacles why the downgrade would be refused now: objects that are not the library's and
 *     would go along, and data that would be deleted where that is not allowed, also where there
 *     may be some that row-level security hides from this role; empty if it would not be
 * @param script the same for {@code psql}: it makes the same checks and reaches the same end state,
 *     but does not try again where a lock is not to be had
 */
public record DowngradePlan(
    List<PlannedStatement> statements, List<String> obstacles, String script) {
  /**
   * Copies the lists.
   *
   * @param statements in the order in which they run, after the tables were locked
   * @param obstacles why the downgrade would be refused now; empty if it would not be
   * @param script the same for {@code psql}
   */
  public DowngradePlan {
    statements = List.copyOf(statements);
    obstacles = List.copyOf(obstacles);
  }

  /**
   * Whether nothing is to be done.
   *
   * @return true if there are no statements
   */
  public boolean isEmpty() {
    return statements.isEmpty();
  }

  /** A table to read, a line for each statement, and a line for each obstacle. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(UpgradePlan.table(statements));
    obstacles.forEach(each -> text.append("in the way: ").append(each).append('\n'));
    return text.toString();
  }
}
