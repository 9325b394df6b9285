package io.agentmemory.consolidation.dao;

import java.time.Duration;

/**
 * Told how far a load has come, on the thread that loads. What it throws ends the load, and what is
 * not yet committed is undone.
 */
@FunctionalInterface
public interface LoadListener {
  /**
   * Called after every 10,000 memories and after the last: ahead of the commit where the load is
   * one transaction, after the last commit where it is several.
   *
   * @param rows how many memories were read and sent so far; sent is not yet committed
   * @param elapsed the time since the load began
   */
  void progress(long rows, Duration elapsed);
}
