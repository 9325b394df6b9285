package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.schema.ConsolidationException;

/**
 * A load in several transactions failed after some of them were committed. The cause is what it
 * failed of. The memories that were committed are the first {@link #committed}{@code .read()} ones;
 * where the cause is a {@link DatabaseException} with an unknown {@link DatabaseException#outcome},
 * those of the next transaction may be committed too.
 */
public final class PartialLoadException extends ConsolidationException {
  private static final long serialVersionUID = 1L;

  /** What the committed transactions did; no part of the serialized form. */
  private final transient LoadResult committed;

  PartialLoadException(LoadResult committed, RuntimeException cause) {
    super(
        "%s. The memories up to number %,d are loaded, and stay"
            .formatted(cause.getMessage(), committed.read()),
        cause);
    this.committed = committed;
  }

  /**
   * What was committed before the failure.
   *
   * @return the result so far
   */
  public LoadResult committed() {
    return committed;
  }
}
