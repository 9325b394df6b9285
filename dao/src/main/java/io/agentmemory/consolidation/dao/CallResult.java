package io.agentmemory.consolidation.dao;

/** How a call ended, as a {@link ConsolidationObserver} is told. */
public enum CallResult {
  /** It returned. */
  SUCCESS,
  /** The library refused it, or the application's own code in it failed; nothing was done. */
  REFUSED,
  /** The database failed, and nothing was done: {@link Outcome#DID_NOT_HAPPEN}. */
  FAILED,
  /** The database failed, and whether it was done is not known: {@link Outcome#UNKNOWN}. */
  UNKNOWN
}
