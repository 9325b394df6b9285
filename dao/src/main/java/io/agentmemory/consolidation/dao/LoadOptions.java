package io.agentmemory.consolidation.dao;

/**
 * How memories are loaded. Immutable.
 *
 * @param onConflict what to do with ids that are taken
 * @param commitEvery after how many memories to commit; 0 for one transaction, all or nothing
 * @param listener told how far the load has come
 */
public record LoadOptions(OnConflict onConflict, long commitEvery, LoadListener listener) {
  private static final LoadOptions DEFAULTS =
      new LoadOptions(OnConflict.FAIL, 0, (rows, elapsed) -> {});

  /**
   * Checks the parts.
   *
   * @param onConflict what to do with ids that are taken
   * @param commitEvery after how many memories to commit
   * @param listener told how far the load has come
   */
  public LoadOptions {
    Checks.notNull("onConflict", onConflict);
    Checks.notNull("listener", listener);
    if (commitEvery < 0) {
      throw new InvalidInputException(
          "commitEvery must not be negative, was " + commitEvery + ": 0 is for one transaction");
    }
  }

  /**
   * One transaction that fails where an id is taken.
   *
   * @return the options
   */
  public static LoadOptions defaults() {
    return DEFAULTS;
  }

  /**
   * The same with another way with ids that are taken.
   *
   * @param onConflict what to do with them
   * @return other options
   */
  public LoadOptions on(OnConflict onConflict) {
    return new LoadOptions(onConflict, commitEvery, listener);
  }

  /**
   * The same in transactions of so many memories. A failure then leaves what was committed, and
   * comes as a {@link PartialLoadException} that tells how much that is. A joined transaction is
   * never committed by a load.
   *
   * @param rows how many memories; 0 for one transaction
   * @return other options
   */
  public LoadOptions commitEvery(long rows) {
    return new LoadOptions(onConflict, rows, listener);
  }

  /**
   * The same with a listener.
   *
   * @param listener told how far the load has come
   * @return other options
   */
  public LoadOptions tell(LoadListener listener) {
    return new LoadOptions(onConflict, commitEvery, listener);
  }
}
