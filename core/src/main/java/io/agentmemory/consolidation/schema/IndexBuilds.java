package io.agentmemory.consolidation.schema;

/** How an upgrade makes indexes on tables that exist already. */
public enum IndexBuilds {
  /**
   * Online on a table whose size reaches the threshold, in the transaction on a smaller one. The
   * default.
   */
  AUTOMATIC,

  /**
   * In the transaction of the upgrade: everything or nothing. Writes of the table wait meanwhile,
   * and reads too where the same upgrade alters it.
   */
  IN_TRANSACTION,

  /**
   * After the transaction, one at a time, by {@code CREATE INDEX CONCURRENTLY}, whatever the size.
   * The indexes of partitioned tables cannot be made so; they are made in the transaction.
   */
  ONLINE
}
