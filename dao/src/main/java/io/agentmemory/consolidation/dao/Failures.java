package io.agentmemory.consolidation.dao;

import java.sql.BatchUpdateException;
import java.sql.SQLException;
import java.sql.SQLTransientException;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** Translates what JDBC and Jdbi throw. */
final class Failures {
  static final String UNIQUE_VIOLATION = "23505";
  static final String INSUFFICIENT_PRIVILEGE = "42501";
  static final String QUERY_CANCELED = "57014";

  /** Also what the driver says, by itself, of a commit that the server answered by a rollback. */
  private static final String IN_FAILED_TRANSACTION = "25P02";

  /** What may have passed when the call is tried again, by whole SQLSTATE. */
  private static final Set<String> TRANSIENT =
      Set.of(
          "40001", "40P01", "55P03", "53300", QUERY_CANCELED, "57P01", "57P02", "57P03", "57P05");

  private static final String READ_ONLY_TRANSACTION = "25006";

  /** Classes of SQLSTATE that are errors of a statement, never the end of a connection. */
  private static final Set<String> CERTAIN = Set.of("21", "22", "23", "40", "42", "54", "55", "P0");

  /** The same of classes that have both. */
  private static final Set<String> ALSO_CERTAIN = Set.of(QUERY_CANCELED, READ_ONLY_TRANSACTION);

  private Failures() {}

  /** The SQL exception that an exception is or was caused by, null where there is none. */
  static @Nullable SQLException sqlException(Throwable failure) {
    Throwable at = failure;
    for (int depth = 0; at != null && depth < 20; depth++) {
      if (at instanceof SQLException sql) {
        return sql;
      }
      at = at.getCause();
    }
    return null;
  }

  /** The SQLSTATE behind an exception, null where there is none. */
  static @Nullable String sqlState(Throwable failure) {
    SQLException sql = sqlException(failure);
    return sql == null ? null : sql.getSQLState();
  }

  /**
   * The exception for a failed call.
   *
   * @param committing whether the server may have committed before the failure
   */
  static DatabaseException translate(String operation, SQLException failure, boolean committing) {
    ServerErrorMessage said = serverMessage(failure);
    String state = failure.getSQLState();
    boolean known =
        !committing
            || failure instanceof Deadline.Expired
            || refused(said)
            || IN_FAILED_TRANSACTION.equals(state);
    return new DatabaseException(
        operation,
        message(failure),
        state,
        known ? Outcome.DID_NOT_HAPPEN : Outcome.UNKNOWN,
        isTransient(failure, state),
        withoutValues(failure));
  }

  /**
   * What went wrong, in words that quote nothing: the server's details tell a row, and the driver
   * tells a statement of a batch with its values.
   */
  static String message(SQLException failure) {
    if (failure instanceof BatchUpdateException) {
      return behind(failure) instanceof SQLException sql ? message(sql) : "a batch failed";
    }
    ServerErrorMessage said = said(failure);
    return String.valueOf(said == null ? failure.getMessage() : said.getMessage());
  }

  /** The failure or, where one of its causes quotes values, the same without them. */
  static SQLException withoutValues(SQLException failure) {
    if (!quotes(failure)) {
      return failure;
    }
    Throwable cause = behind(failure);
    SQLException plain =
        new SQLException(
            message(failure),
            failure.getSQLState(),
            failure.getErrorCode(),
            cause instanceof SQLException sql ? withoutValues(sql) : cause);
    plain.setStackTrace(failure.getStackTrace());
    for (Throwable suppressed : failure.getSuppressed()) {
      plain.addSuppressed(suppressed instanceof SQLException sql ? withoutValues(sql) : suppressed);
    }
    return plain;
  }

  private static boolean quotes(SQLException failure) {
    Throwable at = failure;
    for (int depth = 0; at != null && depth < 20; depth++) {
      if (at instanceof BatchUpdateException || said(at) != null) {
        return true;
      }
      at = behind(at);
    }
    return false;
  }

  /**
   * After an ERROR the server has rolled back; after a FATAL, a PANIC or a lost connection one
   * cannot tell. A server may translate the word, so what is never one of those counts too. (It
   * also sends the word untranslated, which the driver does not hand out.)
   */
  private static boolean refused(@Nullable ServerErrorMessage said) {
    if (said == null) {
      return false;
    }
    if ("ERROR".equals(said.getSeverity())) {
      return true;
    }
    String state = said.getSQLState();
    return state != null
        && state.length() == 5
        && (CERTAIN.contains(state.substring(0, 2)) || ALSO_CERTAIN.contains(state));
  }

  private static boolean isTransient(SQLException failure, @Nullable String state) {
    return failure instanceof SQLTransientException
        || (state != null && (state.startsWith("08") || TRANSIENT.contains(state)));
  }

  /** What the server said, however the driver's exception was wrapped. */
  private static @Nullable ServerErrorMessage serverMessage(SQLException failure) {
    Throwable at = failure;
    for (int depth = 0; at != null && depth < 20; depth++) {
      ServerErrorMessage said = said(at);
      if (said != null) {
        return said;
      }
      at = behind(at);
    }
    return null;
  }

  private static @Nullable ServerErrorMessage said(Throwable failure) {
    return failure instanceof PSQLException postgres ? postgres.getServerErrorMessage() : null;
  }

  /** The cause; of a batch, the failure of its statement. */
  private static @Nullable Throwable behind(Throwable failure) {
    SQLException next =
        failure instanceof BatchUpdateException batch ? batch.getNextException() : null;
    return next == null ? failure.getCause() : next;
  }
}
