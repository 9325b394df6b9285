package io.agentmemory.consolidation.ddl;

/** What a change may do that somebody has to allow by name. */
public enum Hazard {
  /** Rows, or values in columns, are gone after it. */
  DELETES_DATA
}
