package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.QualifiedName;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * Runs a task in a transaction of its own, once, whoever else starts at the same time: under the
 * upgrade lock, polled until a deadline, and again when a lock on a table was not to be had.
 */
final class Runner {
  private static final Logger LOG = LoggerFactory.getLogger(Runner.class);

  private static final String READ_ONLY = "READ ONLY";
  private static final String READ_WRITE = "READ WRITE";

  /** What a standby says to a transaction that is to write. */
  private static final String NOT_ON_A_STANDBY = "0A000";

  private static final String LOCK_NOT_AVAILABLE = "55P03";
  private static final String DEADLOCK = "40P01";

  /** What a server answers to a commit that it turns into a rollback. */
  private static final String REFUSED = "(23|25|40|P0)...";

  private final DataSource dataSource;
  private final SchemaOptions options;
  private final Waiting waiting;
  private final UpgradeLock lock;
  private final UpgradeLock builds;

  Runner(DataSource dataSource, SchemaOptions options, Waiting waiting) {
    this.dataSource = dataSource;
    this.options = options;
    this.waiting = waiting;
    this.lock = UpgradeLock.ofUpgrades(options.schema());
    this.builds = UpgradeLock.ofBuilds(options.schema());
  }

  /** What to run. It is planned again under the lock, since others may have been faster. */
  interface Task<R> {
    Plan plan(Snapshot now);

    R nothingToDo(Snapshot now);

    R execute(Session session, Plan plan, Snapshot now, String searchPath);

    /** What is left to be done outside of the transaction, on the same connection. */
    R finish(Connection connection, R result) throws SQLException;
  }

  /** Where connections come from. */
  interface Connections {
    Connection get() throws SQLException;
  }

  <R> R run(Task<R> task) {
    return connected(connection -> task.finish(connection, loop(connection, task)));
  }

  /** Something that is done with a connection in autocommit mode. */
  interface Work<R> {
    R with(Connection connection) throws SQLException;
  }

  /** Takes a connection and gives it back as it was. */
  <R> R connected(Work<R> work) {
    try {
      return connected(dataSource, work);
    } catch (SQLException e) {
      throw new SchemaException(
          "The connection failed with SQLSTATE " + e.getSQLState() + ": " + e.getMessage(), e);
    }
  }

  /** The same with a connection of another source. */
  static <R> R connected(DataSource dataSource, Work<R> work) throws SQLException {
    Connection connection = dataSource.getConnection();
    boolean autoCommit = true;
    try {
      autoCommit = connection.getAutoCommit();
      connection.setAutoCommit(true);
      return work.with(connection);
    } finally {
      giveBack(connection, autoCommit);
    }
  }

  /** Where the connection is lost, there is nothing to give back. */
  static void giveBack(Connection connection, boolean autoCommit) {
    try (connection) {
      connection.setAutoCommit(autoCommit);
    } catch (SQLException e) {
      LOG.debug("The connection is lost", e);
    }
  }

  /** Something that is done in a transaction. */
  interface Reading<R> {
    R in(Session session);
  }

  /** For what must not change anything, and works on a standby as well. */
  <R> R reading(Reading<R> reading) {
    return rolledBack(READ_ONLY, reading);
  }

  /** For what makes things that are gone afterwards. */
  <R> R rolledBack(Reading<R> reading) {
    return rolledBack(READ_WRITE, reading);
  }

  private <R> R rolledBack(String access, Reading<R> reading) {
    return connected(
        connection -> {
          connection.setAutoCommit(false);
          try {
            Session session = new Session(connection);
            begin(session, waiting, access);
            return reading.in(session);
          } finally {
            restore(connection, false);
          }
        });
  }

  private <R> R loop(Connection connection, Task<R> task) throws SQLException {
    return retried(
        connection,
        () -> {
          Snapshot now = Snapshot.read(connection, options);
          return task.plan(now).isEmpty() ? Optional.of(task.nothingToDo(now)) : Optional.empty();
        },
        (session, searchPath, attempt) -> {
          Snapshot now = Snapshot.read(session.connection(), options);
          Plan plan = task.plan(now);
          attempt.tables = plan.changes().stream().map(Change::target).toList();
          if (plan.takesAway() && !builds.tryTake(session)) {
            return attempt.stoppedBy(builds.heldBy(session));
          }
          return Optional.of(
              plan.isEmpty()
                  ? task.nothingToDo(now)
                  : task.execute(session, plan, now, searchPath));
        });
  }

  /** Does something with a table under the upgrade lock that needs no plan. */
  <R> R locked(Connection connection, QualifiedName table, Reading<R> work) throws SQLException {
    return retried(
        connection,
        Optional::empty,
        (session, searchPath, attempt) -> {
          attempt.tables = List.of(table);
          return Optional.of(work.in(session));
        });
  }

  private <R> R retried(Connection connection, Supplier<Optional<R>> before, Body<R> body)
      throws SQLException {
    long end = waiting.end();
    for (int attempt = 0; ; attempt++) {
      Optional<R> already = before.get();
      if (already.isPresent()) {
        return already.get();
      }
      Attempt<R> tried = new Attempt<>(body);
      Optional<R> result = transaction(connection, tried);
      if (result.isPresent()) {
        return result.get();
      }
      String obstacle = tried.obstacle + tried.inTheWay(new Session(connection));
      if (Waiting.isOver(end)) {
        throw new SchemaBusyException(
            "Gave up after " + waiting.deadline() + ": " + obstacle, tried.cause);
      }
      LoggingEventBuilder event =
          LOG.atInfo().addKeyValue("schema", options.schema()).addKeyValue("attempt", attempt + 1);
      if (tried.cause != null) {
        event = event.addKeyValue("sqlState", tried.cause.sqlState());
      }
      event.log("Waiting for others: {}", obstacle);
      Pause.after(attempt, end);
    }
  }

  /** Runs work in a transaction that is committed if the work has a result, else rolled back. */
  private <R> Optional<R> transaction(Connection connection, Attempt<R> attempt)
      throws SQLException {
    connection.setAutoCommit(false);
    boolean committed = false;
    try {
      Optional<R> result = attempt.run(new Session(connection));
      if (result.isPresent()) {
        commit(connection);
        committed = true;
      }
      return result;
    } finally {
      restore(connection, committed);
    }
  }

  /** Does something in a transaction of its own, as {@link #begin} begins it. */
  static <R> R committed(Session session, Waiting waiting, Reading<R> work) throws SQLException {
    Connection connection = session.connection();
    connection.setAutoCommit(false);
    boolean committed = false;
    try {
      begin(session, waiting);
      R result = work.in(session);
      commit(connection);
      committed = true;
      return result;
    } finally {
      restore(connection, committed);
    }
  }

  /** Commits. Where the connection is lost before the answer, nobody knows what came of it. */
  private static void commit(Connection connection) {
    try {
      connection.commit();
    } catch (SQLException e) {
      if (String.valueOf(e.getSQLState()).matches(REFUSED)) {
        throw SchemaSqlException.of("commit", "COMMIT", null, e);
      }
      throw new SchemaException(
          "The commit failed with SQLSTATE %s: %s. Whether it was done is not known: status() tells which revisions and indexes are there"
              .formatted(e.getSQLState(), e.getMessage()),
          e);
    }
  }

  /** Never lets the end of a failed transaction hide why it failed. */
  static void restore(Connection connection, boolean committed) {
    try {
      if (!committed) {
        connection.rollback();
      }
      connection.setAutoCommit(true);
    } catch (SQLException e) {
      LOG.debug("The connection is lost", e);
    }
  }

  /**
   * Begins a transaction that sees what others have committed and that no hostile search_path,
   * row-level policy or timeout of the role gets at; all of it ends with the transaction.
   *
   * @return the search_path that the session had
   */
  static String begin(Session session, Waiting waiting) {
    return begin(session, waiting, READ_WRITE);
  }

  private static String begin(Session session, Waiting waiting, String access) {
    try {
      session.execute(
          "begin the transaction", "SET TRANSACTION ISOLATION LEVEL READ COMMITTED, " + access);
    } catch (SchemaSqlException e) {
      if (NOT_ON_A_STANDBY.equals(e.sqlState())) {
        throw new SchemaException(
            "The server is a standby, where nothing can be written: connect to its primary", e);
      }
      throw e;
    }
    String settings =
        """
        SELECT pg_catalog.current_setting('search_path'),
          pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),
          pg_catalog.set_config('row_security', 'off', true),
          pg_catalog.set_config('statement_timeout', '0', true),
          CASE WHEN pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL
            THEN pg_catalog.set_config('transaction_timeout', '0', true) END,
          pg_catalog.set_config('lock_timeout', '%dms', true)
        """
            .formatted(waiting.lockTimeout().toMillis());
    String searchPath = session.value("set the transaction's settings", settings);
    return searchPath == null ? "" : searchPath;
  }

  static boolean worthAnotherTry(SchemaSqlException e) {
    String sqlState = e.sqlState() == null ? "" : e.sqlState();
    return sqlState.equals(LOCK_NOT_AVAILABLE)
        || sqlState.equals(DEADLOCK)
        || ExtensionCheck.raced(e);
  }

  /** What is done in a try, under the upgrade lock; empty where something stands in its way. */
  private interface Body<R> {
    Optional<R> in(Session session, String searchPath, Attempt<R> attempt);
  }

  /** One try, and what stood in its way. */
  private final class Attempt<R> {
    private final Body<R> body;
    private String obstacle = "";
    private @Nullable SchemaSqlException cause;
    private List<QualifiedName> tables = List.of();

    Attempt(Body<R> body) {
      this.body = body;
    }

    Optional<R> stoppedBy(String what) {
      obstacle = what;
      return Optional.empty();
    }

    Optional<R> run(Session session) {
      String searchPath = begin(session, waiting);
      if (!lock.tryTake(session)) {
        return stoppedBy(lock.heldBy(session));
      }
      try {
        return body.in(session, searchPath, this);
      } catch (SchemaSqlException e) {
        if (!worthAnotherTry(e)) {
          throw e;
        }
        cause = e;
        return stoppedBy(e.getMessage() == null ? "a lock was not to be had" : e.getMessage());
      }
    }

    /** Asked after the transaction: those who were in its way are still there. */
    String inTheWay(Session session) {
      return cause != null && LOCK_NOT_AVAILABLE.equals(cause.sqlState())
          ? Backends.inTheWay(session, tables, waiting.lockTimeout())
          : "";
    }
  }
}
