package io.agentmemory.consolidation.schema;

/** The lock that a statement takes on a table, weakest first. */
public enum LockMode {
  /** Of row changes: others read and write. */
  ROW_EXCLUSIVE("ROW EXCLUSIVE"),

  /** Of online index builds: others read and write, but do not alter the table. */
  SHARE_UPDATE_EXCLUSIVE("SHARE UPDATE EXCLUSIVE"),

  /** Of index builds in a transaction: others read, their writes wait. */
  SHARE("SHARE"),

  /** Others neither read nor write. */
  ACCESS_EXCLUSIVE("ACCESS EXCLUSIVE");

  private final String sql;

  LockMode(String sql) {
    this.sql = sql;
  }

  /**
   * PostgreSQL's name of it.
   *
   * @return for example {@code ACCESS EXCLUSIVE}
   */
  public String sql() {
    return sql;
  }
}
