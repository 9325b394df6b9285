package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaMismatchException;
import io.agentmemory.consolidation.schema.SchemaOptions;
import io.agentmemory.consolidation.schema.SchemaSqlException;
import io.agentmemory.consolidation.schema.SchemaState;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.JdbiException;
import org.jspecify.annotations.Nullable;

/**
 * Where the DAOs get their connections from: out of a data source, one for each call, or one that
 * the caller has and is joined. Immutable; thread-safe unless a connection is joined.
 *
 * <p>Nothing here is kept in a session, so that poolers between us and the server may give every
 * transaction another one.
 */
final class Database {
  private final Shared shared;
  private final Connections connections;

  /** Called for each call, when it begins; gives null where its time is not limited. */
  private final Supplier<@Nullable Deadline> deadlines;

  private final Observers observers;

  /** What each call is about; null where it may be about several, or nobody is told. */
  private final @Nullable String project;

  private Database(
      Shared shared,
      Connections connections,
      Supplier<@Nullable Deadline> deadlines,
      Observers observers,
      @Nullable String project) {
    this.shared = shared;
    this.connections = connections;
    this.deadlines = deadlines;
    this.observers = observers;
    this.project = project;
  }

  static Database on(DataSource dataSource, SchemaOptions options) {
    return new Database(
        new Shared(options),
        new OwnConnections(dataSource, null),
        () -> null,
        Observers.NONE,
        null);
  }

  Database joining(Connection connection) {
    return new Database(shared, new JoinedConnection(connection, null), deadlines, observers, null);
  }

  Database withTimeout(Duration limit) {
    return new Database(shared, connections, () -> Deadline.in(limit), observers, null);
  }

  /** The same with one limit for all its calls, from now on. */
  Database begun() {
    Deadline deadline = deadlines.get();
    return new Database(shared, connections, () -> deadline, observers, project);
  }

  Database observedBy(ConsolidationObserver observer) {
    return new Database(shared, connections, deadlines, observers.and(observer), null);
  }

  /** Who is told of calls and jobs. */
  Observers observers() {
    return observers;
  }

  /** Reads, by one statement or by several that need not agree. */
  <T extends @Nullable Object> T read(String operation, Work<T> work) {
    return observed(operation, Mode.READ, byHandle(work));
  }

  /** Reads as {@link #read} does, without the handle, which costs more than a search does. */
  <T extends @Nullable Object> T query(String operation, Query<T> query) {
    return observed(operation, Mode.READ, query);
  }

  /** Writes by one statement. */
  <T extends @Nullable Object> T write(String operation, Work<T> work) {
    return observed(operation, Mode.WRITE, byHandle(work));
  }

  /** Writes as {@link #write} does, without the handle. */
  <T extends @Nullable Object> T command(String operation, Query<T> command) {
    return observed(operation, Mode.WRITE, command);
  }

  /**
   * Does all or nothing, by several statements, at READ COMMITTED. In a transaction that is joined,
   * its isolation stays, and what a failed call did is undone to a savepoint.
   */
  <T extends @Nullable Object> T transact(String operation, Work<T> work) {
    return observed(operation, Mode.TRANSACT, byHandle(work));
  }

  /** Reads as {@link #read} does, but in a transaction, as a cursor needs. */
  <T extends @Nullable Object> T fetch(String operation, Work<T> work) {
    return observed(operation, Mode.FETCH, byHandle(work));
  }

  /**
   * The same for calls about one project. Where the database keeps projects apart, each of them is
   * in a transaction, and has that project's rows and no others.
   */
  Database of(String projectId) {
    return options().rowLevelSecurity()
        ? new Database(shared, connections.of(projectId), deadlines, observers, projectId)
        : about(projectId);
  }

  /** For calls about one project in tables that have no policies. */
  Database about(String projectId) {
    return observers.isEmpty()
        ? this
        : new Database(shared, connections, deadlines, observers, projectId);
  }

  /** Whether the transaction that a statement of a project is in goes on after it. */
  boolean inTransaction() {
    return joined() || options().rowLevelSecurity();
  }

  /** Whether calls take part in a transaction of the caller. */
  boolean joined() {
    return connections instanceof JoinedConnection;
  }

  SchemaOptions options() {
    return shared.options;
  }

  /** What is in the database; asked once. */
  SchemaState state(Handle handle) {
    return names(handle.getConnection()).state();
  }

  /** How statements name things; asked once. */
  Names names(Connection connection) {
    return names(connection, null);
  }

  private Names names(Connection connection, @Nullable Deadline deadline) {
    Names names = shared.names;
    if (names == null) {
      Connection limited = LimitedConnection.over(connection, deadline);
      names = new Names(options(), Schema.inspect(limited, options()));
      shared.names = names;
    }
    return names;
  }

  /** A DAO's statements: made from the names once, then kept. */
  <S, X extends Exception> S statements(Connection connection, Class<S> type, Make<S, X> make)
      throws X {
    Object made = shared.statements.get(type);
    if (made == null) {
      try {
        made = make.from(names(connection));
      } catch (SchemaMismatchException behind) {
        shared.names = null; // so that an upgrade to come is seen
        throw behind;
      }
      shared.statements.put(type, made);
    }
    return type.cast(made);
  }

  /** Whose turn it is in claims of all projects. */
  JobTurns jobTurns() {
    return shared.jobTurns;
  }

  /** Makes statements from names. */
  interface Make<S, X extends Exception> {
    S from(Names names) throws X;
  }

  /**
   * What is read by a connection in the time that is left, which is null where it is not limited.
   */
  interface Query<T extends @Nullable Object> {
    T run(Connection connection, @Nullable Deadline deadline) throws SQLException;
  }

  private static <T extends @Nullable Object> Query<T> byHandle(Work<T> work) {
    return (connection, deadline) -> {
      try (Handle handle = JdbiHandles.over(connection, deadline)) {
        return work.run(handle);
      }
    };
  }

  private <T extends @Nullable Object> T observed(String operation, Mode mode, Query<T> query) {
    return observers.isEmpty()
        ? run(operation, mode, query)
        : observers.around(operation, project, () -> run(operation, mode, query));
  }

  private <T extends @Nullable Object> T run(String operation, Mode mode, Query<T> query) {
    Deadline deadline = deadlines.get();
    Connections.Progress progress = new Connections.Progress();
    try {
      return connections.run(
          mode,
          progress,
          deadline,
          connection -> {
            names(connection, deadline);
            return query.run(connection, deadline);
          });
    } catch (SQLException failure) {
      throw Failures.translate(operation, failure, progress.mayHaveCommitted);
    } catch (SchemaSqlException failure) { // of reading the names, which comes before any work
      throw translated(operation, failure, false);
    } catch (JdbiException failure) {
      throw translated(operation, failure, progress.mayHaveCommitted);
    }
  }

  /** What is told of a failure of the database that others have wrapped; of another, itself. */
  private static RuntimeException translated(
      String operation, RuntimeException failure, boolean mayHaveCommitted) {
    SQLException cause = Failures.sqlException(failure);
    return cause == null ? failure : Failures.translate(operation, cause, mayHaveCommitted);
  }

  enum Mode {
    READ,
    FETCH,
    WRITE,
    TRANSACT;

    /** Whether there is a transaction that is more than one statement. */
    boolean transacts() {
      return this == FETCH || this == TRANSACT;
    }

    boolean writes() {
      return this == WRITE || this == TRANSACT;
    }
  }

  /** What all views of one {@link Consolidation} share. */
  private static final class Shared {
    final SchemaOptions options;
    final Map<Class<?>, Object> statements = new ConcurrentHashMap<>();
    final JobTurns jobTurns = new JobTurns();
    volatile @Nullable Names names;

    Shared(SchemaOptions options) {
      this.options = options;
    }
  }
}
