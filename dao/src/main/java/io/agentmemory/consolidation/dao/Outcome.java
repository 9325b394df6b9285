package io.agentmemory.consolidation.dao;

/** What is known about the work of a call that failed. */
public enum Outcome {
  /** Nothing of it is or will be in the database. */
  DID_NOT_HAPPEN,
  /**
   * The connection was lost while the database may already have been committing: look before trying
   * again.
   */
  UNKNOWN
}
