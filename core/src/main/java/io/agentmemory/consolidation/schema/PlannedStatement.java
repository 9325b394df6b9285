package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.ddl.QualifiedName;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A statement that an upgrade or a downgrade would run, and what it means.
 *
 * <p>Immutable and thread-safe.
 *
 * @param revision the revision it belongs to, or null for what surrounds the revisions
 * @param name what it does, for example {@code create index idx_cm_tags}
 * @param sql the statement, without a semicolon at its end
 * @param lock the lock it takes on the table, held to the end of the transaction, or to its own
 *     where it runs online; null where it takes none
 * @param table the table, or null where it is about none
 * @param exists whether the table is there already, so that others may use it
 * @param tableBytes the table's size before; 0 where it is not there
 * @param work what is done with the table's rows
 * @param deletesData whether rows, or values in columns, are gone after it
 * @param online whether it runs after the transaction, outside of any
 * @param hazards what has to be allowed before it runs
 */
public record PlannedStatement(
    @Nullable String revision,
    String name,
    String sql,
    @Nullable LockMode lock,
    @Nullable QualifiedName table,
    boolean exists,
    long tableBytes,
    Work work,
    boolean deletesData,
    boolean online,
    Set<Hazard> hazards) {

  /** What a statement does with the rows of a table that exists. */
  public enum Work {
    /** Nothing: it takes as long on any size. */
    NONE,
    /** It reads all of them. */
    SCAN,
    /** It writes all of them anew, and every index. */
    REWRITE
  }

  /**
   * Refuses nulls where none may stand, and copies the set.
   *
   * @param revision the revision it belongs to, or null for what surrounds the revisions
   * @param name what it does, for example {@code create index idx_cm_tags}
   * @param sql the statement, without a semicolon at its end
   * @param lock the lock it takes on the table, held to the end of the transaction, or to its own
   *     where it runs online; null where it takes none
   * @param table the table, or null where it is about none
   * @param exists whether the table is there already, so that others may use it
   * @param tableBytes the table's size before; 0 where it is not there
   * @param work what is done with the table's rows
   * @param deletesData whether rows, or values in columns, are gone after it
   * @param online whether it runs after the transaction, outside of any
   * @param hazards what has to be allowed before it runs
   */
  public PlannedStatement {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(sql, "sql");
    Objects.requireNonNull(work, "work");
    hazards = Set.copyOf(hazards);
  }
}
