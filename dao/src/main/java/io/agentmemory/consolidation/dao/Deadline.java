package io.agentmemory.consolidation.dao;

import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.postgresql.jdbc.PgStatement;

/**
 * When a call must be done. Each of its statements gets what is left, in milliseconds; the driver
 * then asks the server to cancel it.
 */
final class Deadline {
  private final long nanos;

  private Deadline(long nanos) {
    this.nanos = nanos;
  }

  static Deadline in(Duration timeout) {
    long left;
    try {
      left = timeout.toNanos();
    } catch (ArithmeticException longerThanCenturies) {
      left = Long.MAX_VALUE / 2;
    }
    return new Deadline(System.nanoTime() + Math.min(left, Long.MAX_VALUE / 2));
  }

  /** Limits a statement to the time that is left, if there is a limit. */
  static void apply(@Nullable Deadline deadline, Statement statement) throws SQLException {
    if (deadline != null) {
      deadline.limit(statement);
    }
  }

  /** Limits a statement to the time that is left. */
  void limit(Statement statement) throws SQLException {
    long millis = check();
    if (statement.isWrapperFor(PgStatement.class)) {
      statement.unwrap(PgStatement.class).setQueryTimeoutMs(millis);
    } else {
      statement.setQueryTimeout((int) Math.min((millis + 999) / 1000, Integer.MAX_VALUE));
    }
  }

  /** The milliseconds that are left, of which there must be one. */
  long check() throws SQLException {
    long millis = TimeUnit.NANOSECONDS.toMillis(nanos - System.nanoTime() + 999_999);
    if (millis <= 0) {
      throw new Expired();
    }
    return millis;
  }

  /** When half of the time that is left has passed. */
  Deadline half() {
    long now = System.nanoTime();
    return new Deadline(now + (nanos - now) / 2);
  }

  /** No time was left, so the statement was not sent. */
  static final class Expired extends SQLException {
    private static final long serialVersionUID = 1L;

    Expired() {
      super("no time was left for the next statement", Failures.QUERY_CANCELED);
    }
  }
}
