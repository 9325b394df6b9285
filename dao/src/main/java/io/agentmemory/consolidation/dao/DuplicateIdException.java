package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.schema.ConsolidationException;

/**
 * A row was not inserted because its id is taken. Ids are unique over all projects, and the message
 * does not tell whose the other row is.
 */
public final class DuplicateIdException extends ConsolidationException {
  private static final long serialVersionUID = 1L;

  /** The id that is taken. */
  private final String id;

  DuplicateIdException(String what, String id) {
    super(
        "The %s was not inserted: the id %s is taken. Leave the id out to have one generated"
            .formatted(what, Checks.quoted(id)));
    this.id = id;
  }

  /**
   * The id that is taken.
   *
   * @return the id as it was given
   */
  public String id() {
    return id;
  }
}
