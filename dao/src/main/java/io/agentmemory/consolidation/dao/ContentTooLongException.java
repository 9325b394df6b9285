package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.schema.ConsolidationException;
import java.sql.SQLException;

/**
 * A memory's content has too many different words: PostgreSQL holds at most 1,048,575 bytes of them
 * in the {@code tsvector} that text search needs. Nothing was written.
 */
public final class ContentTooLongException extends ConsolidationException {
  private static final long serialVersionUID = 1L;

  private static final String PROGRAM_LIMIT_EXCEEDED = "54000";

  /** The id of the memory that is too long. */
  private final String id;

  ContentTooLongException(String what, String id, SQLException cause) {
    super(
        "The %s, id %s, has too many different words for text search: split or summarise it (%s)"
            .formatted(what, Checks.quoted(id), Failures.message(cause)),
        Failures.withoutValues(cause));
    this.id = id;
  }

  /** Whether a write failed for this: of what is written, only a tsvector reaches a limit. */
  static boolean causes(SQLException failure) {
    return PROGRAM_LIMIT_EXCEEDED.equals(failure.getSQLState());
  }

  /**
   * The memory that is too long.
   *
   * @return its id, as it was given or generated
   */
  public String id() {
    return id;
  }
}
