package io.agentmemory.consolidation.schema;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** The server refused a statement. What ran before it in the same transaction was rolled back. */
public final class SchemaSqlException extends SchemaException {
  private static final long serialVersionUID = 1L;

  /** Serialized form: the statement. */
  private final String statement;

  /** Serialized form: the SQLSTATE. */
  private final @Nullable String sqlState;

  /** Serialized form: the revision. */
  private final @Nullable String revision;

  private SchemaSqlException(
      String message,
      String statement,
      @Nullable String sqlState,
      @Nullable String revision,
      SQLException cause) {
    super(message, cause);
    this.statement = statement;
    this.sqlState = sqlState;
    this.revision = revision;
  }

  static SchemaSqlException of(
      String name, String sql, @Nullable String revision, SQLException cause) {
    String message =
        (revision == null ? "" : "Revision " + revision + ": ")
            + name
            + " failed with SQLSTATE "
            + cause.getSQLState()
            + ": "
            + cause.getMessage()
            + advice(cause.getSQLState())
            + "\nThe statement was: "
            + sql;
    return new SchemaSqlException(message, sql, cause.getSQLState(), revision, cause);
  }

  private static String advice(@Nullable String sqlState) {
    return switch (sqlState == null ? "" : sqlState) {
      case "42P07", "42701", "42710" ->
          "\nSomething of that name was made by somebody else: rename it, or drop it, then try"
              + " again.";
      case "3F000" ->
          "\nOnly the schema that the options name is made: make that one yourself, or name another.";
      case "42501" ->
          "\nThe role lacks that privilege: connect as the role that owns the tables, or have it"
              + " granted.";
      case "2BP01" -> "\nNothing is ever dropped by CASCADE: drop what depends on it yourself.";
      default -> "";
    };
  }

  /**
   * The statement that failed.
   *
   * @return its whole SQL
   */
  public String statement() {
    return statement;
  }

  /**
   * The server's SQLSTATE.
   *
   * @return five characters, or null if the driver gave none
   */
  public @Nullable String sqlState() {
    return sqlState;
  }

  /**
   * The revision that was being applied or taken back.
   *
   * @return its name, or null outside of revisions
   */
  public @Nullable String revision() {
    return revision;
  }
}
