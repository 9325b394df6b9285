package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.schema.ConsolidationException;
import java.util.List;

/**
 * A consolidation was refused because some of its sources have been consolidated meanwhile, by
 * another worker or an earlier try. Nothing was changed. Read the sources again, and consolidate
 * what is left.
 */
public final class AlreadyConsolidatedException extends ConsolidationException {
  private static final long serialVersionUID = 1L;

  /** Serialized form: a list that is {@link java.io.Serializable}. */
  @SuppressWarnings("serial")
  private final List<String> sourceIds;

  AlreadyConsolidatedException(List<String> sourceIds) {
    super("Nothing was consolidated: already consolidated elsewhere are " + Checks.some(sourceIds));
    this.sourceIds = List.copyOf(sourceIds);
  }

  /**
   * The sources that have been consolidated elsewhere.
   *
   * @return their ids, in order
   */
  public List<String> sourceIds() {
    return sourceIds;
  }
}
