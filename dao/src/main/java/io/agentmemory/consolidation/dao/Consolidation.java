package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.schema.SchemaOptions;
import java.sql.Connection;
import java.time.Duration;
import java.util.Optional;
import javax.sql.DataSource;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * The way in: consolidated memories, jobs and task memories of one database.
 *
 * <p>By itself every call takes a connection, does its work in a transaction of its own, and gives
 * the connection back as it was; pools with and without autocommit serve alike. {@link
 * #joining(Connection)} takes part in a transaction of the caller instead. The data source should
 * be the pool, not a proxy that hands out the connection of a transaction that is under way.
 *
 * <p>Where the options have {@linkplain SchemaOptions#rowLevelSecurity() row-level security}, every
 * call about a project is a transaction, which has that project's rows and no others; a transaction
 * that is joined gets back the project it had when the call is over.
 *
 * <p>Statements name tables, and what is pgvector's, with their schemas; what is PostgreSQL's own
 * they do not, so that the session's {@code search_path} decides on operators such as {@code =}. A
 * role that may create in one of its schemas could slip in others, which then run with the rights
 * of the role that calls. No schema of the path may be open to roles that are not trusted ({@link
 * io.agentmemory.consolidation.schema.Schema#checkUp} names those that are open to all), or the
 * path is {@code pg_catalog} alone, which suffices for every method unless a mapping of the host's
 * table reaches for more: {@code ALTER ROLE app SET search_path = pg_catalog}, or {@code
 * currentSchema=pg_catalog} in the JDBC URL.
 *
 * <p>Whether the options fit the database is checked at the first use: {@link
 * io.agentmemory.consolidation.schema.SchemaMismatchException} says what does not. Arguments are
 * checked before anything is sent, save where a method says otherwise: {@link
 * InvalidInputException}. What the database refuses comes as a {@link DatabaseException}, which
 * says whether the work was done and whether trying again may help.
 *
 * <p>Immutable and thread-safe, save for what has joined a connection, which is used by one thread
 * at a time as the connection is.
 */
public final class Consolidation implements AutoCloseable {
  private final Database database;
  private final ConsolidatedMemoryDao memories;
  private final @Nullable Pool pool;

  private Consolidation(Database database, @Nullable Pool pool) {
    this.database = database;
    this.memories = new ConsolidatedMemoryDao(database);
    this.pool = pool;
  }

  /**
   * Works with an application's data source.
   *
   * <p>Through PgBouncer in transaction mode before 1.21, which knows no prepared statements, give
   * the driver {@code prepareThreshold=0}. Then the server plans every statement anew, which takes
   * a search of a small project two or three times as long; the pooler itself adds little to that.
   *
   * @param dataSource connections to the database
   * @param options the options that the schema was upgraded with
   * @return the way in; closing it leaves the data source open
   */
  public static Consolidation on(DataSource dataSource, SchemaOptions options) {
    return new Consolidation(
        Database.on(Checks.notNull("dataSource", dataSource), Checks.notNull("options", options)),
        null);
  }

  /**
   * Opens a pool of connections of its own; HikariCP must be on the class path. The pool has
   * HikariCP's defaults, ten connections at most; for other settings make the pool and use {@link
   * #on}.
   *
   * @param jdbcUrl where the database is, for example {@code jdbc:postgresql://localhost/app}
   * @param user the role; null: as the URL says
   * @param password its password; null: as the URL says, or none
   * @param options the options that the schema was upgraded with
   * @return the way in; closing it closes the pool, and so does closing a view of it that {@link
   *     #withTimeout} or {@link #observedBy} gave
   * @throws InvalidInputException if the driver does not understand the URL
   * @throws DatabaseException if the database cannot be reached
   * @throws IllegalStateException if HikariCP is not there
   */
  public static Consolidation open(
      String jdbcUrl, @Nullable String user, @Nullable String password, SchemaOptions options) {
    Checks.notNull("options", options);
    if (!isUnderstood(Checks.notNull("jdbcUrl", jdbcUrl))) { // it may hold a password
      throw new InvalidInputException(
          "jdbcUrl must be one of the PostgreSQL driver's, such as jdbc:postgresql://localhost/app or"
              + " jdbc:postgresql://localhost:5432/app?sslmode=require");
    }
    Pool pool;
    try {
      pool = Pool.open(jdbcUrl, user, password);
    } catch (NoClassDefFoundError missing) {
      throw new IllegalStateException(
          "To open a pool needs HikariCP (com.zaxxer:HikariCP) on the class path; add it, or give a"
              + " data source to Consolidation.on",
          missing);
    }
    return new Consolidation(Database.on(pool.dataSource(), options), pool);
  }

  private static boolean isUnderstood(String jdbcUrl) {
    try {
      new PGSimpleDataSource().setUrl(jdbcUrl);
      return true;
    } catch (IllegalArgumentException invalid) {
      return false;
    }
  }

  /**
   * The consolidation jobs.
   *
   * @return access to them
   */
  public ConsolidationJobDao jobs() {
    return new ConsolidationJobDao(database);
  }

  /**
   * The task memories in the host's table.
   *
   * @return access to them
   * @throws InvalidInputException if the options' mapping has no project
   */
  public TaskMemoryDao taskMemories() {
    return new TaskMemoryDao(database);
  }

  /**
   * Consolidates sources into a memory: inserts the memory with their ids as its lineage, and marks
   * task memories as consolidated into it, all of it or nothing. Of several calls at the same time
   * whose sources overlap, exactly one succeeds.
   *
   * <p>Sources of other projects are as if they did not exist.
   *
   * @param memory the memory, without lineage
   * @param sources what it is made from
   * @return the memory as it is in the database
   * @throws AlreadyConsolidatedException if a source has been consolidated elsewhere
   * @throws InvalidSourcesException if a source does not exist, exists in both kinds, or is more
   *     abstract than the memory
   * @throws DuplicateIdException if the memory's id is taken
   * @throws ContentTooLongException if its content has too many different words for text search
   * @throws InvalidInputException if consolidated memories are sources and a transaction that is
   *     joined is not at READ COMMITTED, at which alone it can be seen what others have
   *     consolidated meanwhile
   */
  public ConsolidatedMemory consolidate(NewMemory memory, Sources sources) {
    Checks.notNull("memory", memory);
    Checks.notNull("sources", sources);
    ConsolidationStep.check(memory, sources, database.options());
    return database
        .of(memory.projectId())
        .transact(
            "consolidate",
            handle ->
                database
                    .statements(
                        handle.getConnection(), ConsolidationStep.class, ConsolidationStep::new)
                    .run(handle, memories, memory, sources));
  }

  /**
   * Undoes a consolidation: deletes the memory, and its sources count as not consolidated again,
   * all of it or nothing. Of task memories this takes away the marks; consolidated memories need
   * nothing but that no other names them as a source. A {@link ConsolidationFlow} finds them again.
   *
   * @param projectId the project
   * @param id the id of the memory that was consolidated
   * @return the memory as it was, with the ids of its sources; empty, with nothing changed, where
   *     the project has no such memory, or it has no sources
   * @throws MemoryInUseException if others have been consolidated from it; it names them
   * @throws InvalidInputException if a transaction that is joined is not at READ COMMITTED, at
   *     which alone it can be seen what others have consolidated meanwhile
   */
  public Optional<ConsolidatedMemory> undo(String projectId, String id) {
    Checks.id("projectId", projectId);
    Checks.id("id", id);
    return database.of(projectId).transact("undo", handle -> memories.undo(handle, projectId, id));
  }

  /**
   * Takes part in the transaction of a Jdbi handle. The same as {@link #joining(Connection)} with
   * the handle's connection: the handle's own configuration does not matter.
   *
   * @param handle an open handle
   * @return a view for as long as the transaction lasts
   */
  public Consolidation joining(Handle handle) {
    return joining(Checks.notNull("handle", handle).getConnection());
  }

  /**
   * Takes part in the transaction of a connection: what is done through the view commits or rolls
   * back with what else the caller does. The view never commits, rolls back, closes the connection
   * or changes its autocommit, and leaves every setting as it was. Calls of several statements need
   * a transaction that has begun; when one of them fails, what it did is undone to a savepoint, and
   * the caller may go on. When a call of a single statement fails with a {@link DatabaseException},
   * PostgreSQL allows nothing but a rollback, as ever.
   *
   * @param connection an open connection to the same database
   * @return a view for as long as the transaction lasts
   */
  public Consolidation joining(Connection connection) {
    return new Consolidation(database.joining(Checks.notNull("connection", connection)), null);
  }

  /**
   * Limits how long each call may take. Every statement of a call gets what the statements before
   * it have left, to the millisecond; when that is over the driver asks the server to cancel it,
   * and the call fails with SQLSTATE 57014. The COPY of a load is limited by the server, as by a
   * {@code statement_timeout} of the transaction.
   *
   * <p>The wait for a connection counts, but is limited by the pool alone; a commit, and what a
   * function of the caller's does, is not cut short; an export looks at the time before each
   * memory, but not while it fetches more; a network that has gone silent is noticed by the
   * driver's {@code socketTimeout}.
   *
   * <p>What one call does differs: {@link ConsolidatedMemoryDao#similarPairs} makes as many
   * searches as its page has memories, a {@link RecallProbe} compares all rows, and a load is one
   * call for each transaction. Give these a view of their own.
   *
   * @param timeout how long, more than nothing
   * @return a view with this limit
   */
  public Consolidation withTimeout(Duration timeout) {
    return new Consolidation(database.withTimeout(Checks.positive("timeout", timeout)), pool);
  }

  /**
   * Has an observer told of each call and, by a {@link JobWorker} that is given the view, of what
   * becomes of jobs; those that were told before still are. Without any observer no clock is read.
   * {@link MicrometerObserver} counts and times in Micrometer; {@link SlowCallLog} logs calls that
   * take long.
   *
   * @param observer is told; a failure of its own is logged and harms nothing
   * @return a view that is observed
   */
  public Consolidation observedBy(ConsolidationObserver observer) {
    return new Consolidation(database.observedBy(Checks.notNull("observer", observer)), pool);
  }

  /**
   * Closes the pool that {@link #open} opened, of which all views with another timeout or observer
   * are parts: where one is closed, all are. What {@link #on} was given stays open, and so does a
   * connection that was joined.
   */
  @Override
  public void close() {
    if (pool != null) {
      pool.close();
    }
  }

  /**
   * The projects' consolidated memories.
   *
   * @return the access to them
   */
  public ConsolidatedMemoryDao memories() {
    return memories;
  }

  /** For the DAOs of this package. */
  Database database() {
    return database;
  }
}
