package io.agentmemory.consolidation.ddl;

/** What a change may do that somebody has to allow by name. */
public enum Hazard {
  /** Rows, or values in columns, are gone after it. */
  DELETES_DATA,

  /** A large table is written anew, with its indexes, while nobody can read or write it. */
  REWRITES_LARGE_TABLE,

  /** Reads or writes of a large table wait until a long statement and its transaction end. */
  BLOCKS_FOR_LONG,

  /** Values are kept in a type that holds less of them: 24 bits of a number's 53, or 11. */
  LOSES_PRECISION
}
