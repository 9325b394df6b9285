package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.ddl.Identifiers;
import io.agentmemory.consolidation.ddl.Renderer;
import io.agentmemory.consolidation.schema.SchemaStatus.AppliedRevision;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The consolidation schema of one database: moves it up and down, and tells what is there.
 *
 * <p>Every change runs in one transaction of its own, READ COMMITTED, under a lock that lets one of
 * many starting instances do it once. Its settings end with it; the connection goes back to the
 * data source as it came. The data source must hand out connections that are in no transaction.
 *
 * <p>Immutable and thread-safe. No argument may be null. Methods that reach for the database throw
 * {@link SchemaSqlException} where the server refuses a statement, {@link SchemaBusyException}
 * where the deadline passes, {@link SchemaMismatchException} where the database records other
 * options or definitions, and {@link SchemaException} otherwise. Then nothing was changed, save for
 * what is done in several transactions: indexes built online, after that of the upgrade; {@link
 * #convertEmbeddings}; {@link #bulkLoad}. What these had committed stays. Where the connection is
 * lost while the server commits, the exception says that nobody knows whether it did. {@link
 * #status} tells then, and making the call again is safe: it goes on from what is there.
 */
public final class Schema {
  private final DataSource dataSource;
  private final SchemaOptions options;
  private final Planner planner;
  private final List<Changelog> changelogs;
  private final Set<Hazard> allowed;
  private final Waiting waiting;
  private final Online online;

  private Schema(
      DataSource dataSource,
      SchemaOptions options,
      List<Changelog> changelogs,
      Set<Hazard> allowed,
      Waiting waiting,
      Online online) {
    this.dataSource = Objects.requireNonNull(dataSource, "dataSource");
    this.options = Objects.requireNonNull(options, "options");
    this.planner = new Planner(options, changelogs);
    this.changelogs = changelogs;
    this.allowed = allowed;
    this.waiting = waiting;
    this.online = online;
  }

  /**
   * The schema with the default options.
   *
   * @param dataSource connections of a role that owns the tables
   * @return the schema
   */
  public static Schema on(DataSource dataSource) {
    return on(dataSource, SchemaOptions.defaults());
  }

  /**
   * The schema with options.
   *
   * @param dataSource connections of a role that owns the tables
   * @param options what the schema looks like
   * @return the schema
   */
  public static Schema on(DataSource dataSource, SchemaOptions options) {
    return new Schema(dataSource, options, List.of(), Set.of(), Waiting.DEFAULT, Online.DEFAULT);
  }

  /**
   * The same with an application's own revisions, applied after the library's.
   *
   * @param changelog the application's changelog
   * @return another schema
   * @throws IllegalArgumentException if another changelog has the name, or one of the revisions
   */
  public Schema with(Changelog changelog) {
    List<Changelog> more = new ArrayList<>(changelogs);
    more.add(Objects.requireNonNull(changelog, "changelog"));
    return new Schema(dataSource, options, List.copyOf(more), allowed, waiting, online);
  }

  /**
   * The same, allowing what would be refused.
   *
   * @param hazards what may happen
   * @return another schema
   */
  public Schema allowing(Hazard... hazards) {
    Set<Hazard> more = EnumSet.noneOf(Hazard.class);
    more.addAll(allowed);
    more.addAll(Arrays.asList(hazards));
    return new Schema(dataSource, options, changelogs, more, waiting, online);
  }

  /**
   * The same with another deadline for waiting on others; 5 minutes unless set. A statement that
   * runs is not cut short by it.
   *
   * @param deadline zero for one try
   * @return another schema
   */
  public Schema withDeadline(Duration deadline) {
    Waiting other = new Waiting(deadline, waiting.lockTimeout());
    return new Schema(dataSource, options, changelogs, allowed, other, online);
  }

  /**
   * The same with another time to wait for one lock on a table before it is let go and tried again;
   * 2 seconds unless set. Others may queue behind the table for as long.
   *
   * @param lockTimeout at least a millisecond
   * @return another schema
   */
  public Schema withLockTimeout(Duration lockTimeout) {
    Waiting other = new Waiting(waiting.deadline(), lockTimeout);
    return new Schema(dataSource, options, changelogs, allowed, other, online);
  }

  /**
   * The same, building indexes on tables that exist in another way.
   *
   * @param builds {@link IndexBuilds#AUTOMATIC} unless set
   * @return another schema
   */
  public Schema withIndexBuilds(IndexBuilds builds) {
    return with(online.with(Objects.requireNonNull(builds, "builds")));
  }

  /**
   * The same with another size from which a table counts as large; 64 MB unless set.
   *
   * @param bytes the size of its rows, without indexes
   * @return another schema
   */
  public Schema withLargeTablesFrom(long bytes) {
    return with(online.withThreshold(bytes));
  }

  /**
   * The same, waiting until the deadline for indexes that somebody else builds. Unless set, {@link
   * #upgrade} returns at once and says that they are building.
   *
   * @return another schema
   */
  public Schema waitingForIndexes() {
    return with(online.waiting());
  }

  /**
   * The same, telling of the progress of online index builds. That takes a second connection.
   *
   * @param listener for example {@link TerminalProgress}
   * @return another schema
   */
  public Schema withProgress(ProgressListener listener) {
    return with(online.with(Objects.requireNonNull(listener, "listener")));
  }

  /**
   * The same with connections for online index builds, which keep a lock of their session. Needed
   * where the others go through a pooler that shares sessions, such as PgBouncer in transaction
   * mode.
   *
   * @param direct connections to the server itself, of the same role
   * @return another schema
   */
  public Schema withDirectConnections(DataSource direct) {
    return with(online.through(Objects.requireNonNull(direct, "direct")));
  }

  /**
   * The same, building HNSW indexes with at most another amount of memory; 256 MB unless set. An
   * index takes what its graph needs of it (about 2.3 kB for an embedding of 384 dimensions, 7 kB
   * for one of 1536), and is built many times more slowly where that is more. Where the session's
   * {@code maintenance_work_mem} is more, that is the most. A parallel build shares it between
   * processes; in a container, {@code shm_size} has to allow it, or there are no workers.
   *
   * @param bytes from 1 MB to 2 TB
   * @return another schema
   */
  public Schema withBuildMemory(long bytes) {
    return with(online.with(online.resources().withMemory(bytes)));
  }

  /**
   * The same, building HNSW indexes with at most another number of parallel workers beside the
   * session's own process; as many as its {@code max_parallel_maintenance_workers} says unless set.
   * A few thousand rows take none. The server's {@code max_parallel_workers} is another bound.
   *
   * @param workers from 0 to 1024
   * @return another schema
   */
  public Schema withBuildWorkers(int workers) {
    return with(online.with(online.resources().withWorkers(workers)));
  }

  private Schema with(Online other) {
    return new Schema(dataSource, options, changelogs, allowed, waiting, other);
  }

  /**
   * Upgrades to the newest revision of every stream. Where nothing is to do, this costs one query
   * and takes no lock.
   *
   * @return what was done
   */
  public UpgradeResult upgrade() {
    return up(null);
  }

  /**
   * Upgrades as far as a revision: it, those before it in its stream, and those of the library that
   * they require. Where they are applied already, nothing is done.
   *
   * @param revision a revision of the library or of a changelog
   * @return what was done
   * @throws IllegalArgumentException if there is no such revision
   */
  public UpgradeResult upgradeTo(String revision) {
    return up(Objects.requireNonNull(revision, "revision"));
  }

  private UpgradeResult up(@Nullable String target) {
    return runner().run(new Upgrader(options, planner, allowed, online, builder(), target));
  }

  private OnlineBuilder builder() {
    return new OnlineBuilder(options, planner, waiting, online, dataSource::getConnection);
  }

  /**
   * Records tables that somebody else made, by the migration of another tool or by hand, once they
   * are found to be those of {@code consolidation_001} without a difference, beside a host's table
   * with its two columns. Later revisions of the library that are there as a whole are recorded
   * too; {@link #upgrade} then applies the rest. A downgrade treats all of it as its own, but
   * leaves the host's table and the schema. Where {@code consolidation_001} is recorded already,
   * this costs one query and takes no lock.
   *
   * @return what was recorded, as the revisions applied; empty where nothing was to do
   * @throws SchemaMismatchException if there is a difference; it names each, with what would have
   *     to change
   */
  public UpgradeResult adopt() {
    return runner().run(new Adopter(options, planner));
  }

  /**
   * Turns the embeddings of {@code consolidated_memories} from {@code double precision[]}, as some
   * other tool made them, into the vector type of the options, and makes their index {@code
   * idx_cm_embedding}. Before {@link #adopt}. This needs {@link Hazard#LOSES_PRECISION}.
   *
   * <p>Others go on reading and writing meanwhile: a column beside the old one is kept up by a
   * trigger, filled in batches of 500 rows and at last put in the old one's place; nobody waits
   * longer than for the lock timeout at a time, and for one batch where it writes the same row. The
   * table needs about twice its room. Afterwards numbers can still be written to the column as an
   * array; what is read are vectors. Where a call was cut short, the next one goes on from there,
   * to the same type. {@link #withProgress} is told of the rows, then of the index; {@link
   * #withBuildMemory} and {@link #withBuildWorkers} are for its build.
   *
   * <p>One that was begun is given up by dropping the trigger, the constraint and the column {@code
   * consolidation_vector} of the table and the function {@code consolidation_to_vector} of its
   * schema; nothing else was changed.
   *
   * @return what was done; nothing where the embeddings are vectors and indexed
   * @throws ChangeRefusedException if the hazard is not allowed, if an embedding cannot become a
   *     vector of these dimensions, or if objects that are not the library's would go along
   */
  public ConversionResult convertEmbeddings() {
    return runner()
        .connected(
            new EmbeddingConverter(
                    options, allowed, waiting, online, builder(), dataSource::getConnection)
                ::convert);
  }

  /**
   * Loads many memories without their HNSW indexes, which would take most of the time: drops these,
   * loads, builds them with memory and workers sized to the rows, and analyses the table. Pays
   * where a large part of the rows is new; every index is built anew over all of them.
   *
   * <p>Meanwhile, searches find the same; those of large projects compare every row and take
   * longer. Dropping takes an {@code ACCESS EXCLUSIVE} lock for a moment, under the lock timeout,
   * tried again until the deadline. Writers go on while the load runs, and wait while an index is
   * built ({@code SHARE} lock; reads go on), unless {@link IndexBuilds#ONLINE} is set, with which
   * builds take longer. A table that is large already is refused unless that is set or {@link
   * Hazard#BLOCKS_FOR_LONG} allowed.
   *
   * <p>It can be interrupted at any point. The history says which indexes are to be built from the
   * moment they are dropped: {@link #status} and {@link #checkUp} tell of them, {@link #verify} of
   * those that are away, and {@link #upgrade} builds them. Where the load fails, they are built
   * before the failure is thrown.
   *
   * <p>One session keeps the lock of index builds meanwhile, so that other bulk loads and
   * downgrades wait and upgrades build nothing: the load needs connections beside it. Not for the
   * caller's own transaction.
   *
   * @param load what loads, for example by {@code ConsolidatedMemoryDao.load}
   * @param <E> what it may throw
   * @return what was done
   * @throws E if the load fails
   * @throws ChangeRefusedException if the table is large, before anything is changed
   * @throws SchemaException also after the load, where the indexes cannot be built: the rows are in
   *     then, and the next upgrade builds them
   */
  public <E extends Exception> BulkLoadResult bulkLoad(BulkLoad<E> load) throws E {
    Objects.requireNonNull(load, "load");
    return new BulkLoader(dataSource, options, planner, waiting, online, allowed).run(load);
  }

  /**
   * Tells what {@link #upgrade} would do, statement by statement: what it locks, how large that is,
   * and what has to be allowed. Changes nothing.
   *
   * @return the plan; its {@code toString} is a table to read
   */
  public UpgradePlan plan() {
    PlanWriter writer = new PlanWriter(options, planner, changelogs, allowed, online);
    return runner().reading(writer::write);
  }

  /**
   * Takes back the one revision that was applied last.
   *
   * @return what was done
   * @throws ChangeRefusedException if data would be deleted and {@link Hazard#DELETES_DATA} is not
   *     allowed, or if objects that are not the library's would go along
   */
  public DowngradeResult downgrade() {
    return down(planner::downOne);
  }

  /**
   * Takes back everything that was applied after a revision in its stream, and what other streams
   * have that requires it.
   *
   * @param revision the revision that stays
   * @return what was done
   * @throws IllegalArgumentException if there is no such revision
   * @throws ChangeRefusedException as {@link #downgrade} does
   */
  public DowngradeResult downgradeTo(String revision) {
    Objects.requireNonNull(revision, "revision");
    return down(now -> planner.downTo(now, revision));
  }

  /**
   * Takes back everything, the history and a schema that an upgrade created included. What was
   * adopted stays, and so does the extension {@code vector}.
   *
   * @return what was done
   * @throws ChangeRefusedException as {@link #downgrade} does
   */
  public DowngradeResult downgradeToNothing() {
    return down(planner::downToNothing);
  }

  /**
   * Tells what {@link #downgrade} would do, as {@link #plan} does of an upgrade, and what is in its
   * way. Changes nothing. Looking for data may read whole tables.
   *
   * @return the plan; its {@code toString} is a table to read
   */
  public DowngradePlan planDowngrade() {
    return planDown(planner::downOne);
  }

  /**
   * Tells what {@link #downgradeTo} would do, and what is in its way. Changes nothing.
   *
   * @param revision the revision that stays
   * @return the plan; its {@code toString} is a table to read
   * @throws IllegalArgumentException if there is no such revision
   */
  public DowngradePlan planDowngradeTo(String revision) {
    Objects.requireNonNull(revision, "revision");
    return planDown(now -> planner.downTo(now, revision));
  }

  /**
   * Tells what {@link #downgradeToNothing} would do, and what is in its way. Changes nothing.
   *
   * @return the plan; its {@code toString} is a table to read
   */
  public DowngradePlan planDowngradeToNothing() {
    return planDown(planner::downToNothing);
  }

  private DowngradePlan planDown(Function<Snapshot, Plan> planning) {
    PlanWriter writer = new PlanWriter(options, planner, changelogs, allowed, online);
    return runner().reading(session -> writer.writeDown(session, planning));
  }

  private DowngradeResult down(Function<Snapshot, Plan> planning) {
    return runner().run(new Downgrader(options, allowed, online, planning));
  }

  private Runner runner() {
    return new Runner(dataSource, options, waiting);
  }

  /**
   * Tells what was applied, and what an upgrade would apply. Reads only; one query.
   *
   * @return the status
   */
  public SchemaStatus status() {
    Snapshot now = runner().connected(connection -> Snapshot.read(connection, options));
    Extension extension = now.extension();
    return new SchemaStatus(
        now.applied().stream()
            .map(
                row ->
                    new AppliedRevision(
                        row.stream(), row.revision(), row.appliedAt(), row.appliedBy()))
            .toList(),
        planner.up(now, null).revisions(),
        planner.pending(now).stream().map(each -> each.index().qualifiedName().sql()).toList(),
        now.hostTableAdopted(),
        extension == null ? null : extension.schema(),
        extension == null ? null : extension.version());
  }

  /**
   * Compares the database with the definition of what its history says was applied, in the server's
   * own words: columns with type, nullability, default and generation, constraints, and indexes
   * with method, operator class, options, predicate and validity. Of an adopted table it looks at
   * what was added to it; indexes that somebody added are no difference. Makes temporary tables in
   * a transaction that is rolled back, so it needs the privilege TEMPORARY and the primary server.
   *
   * @return the differences; empty if there are none
   */
  public List<Difference> verify() {
    return runner()
        .rolledBack(session -> verify(session, Snapshot.read(session.connection(), options)));
  }

  private List<Difference> verify(Session session, Snapshot now) {
    Plan missing = planner.up(now, null);
    Definition definition = new Definition();
    definition.apply(new History(options).creation());
    for (List<Revision> stream : planner.streams(now.hostTableAdopted()).values()) {
      for (Revision revision : stream) {
        if (!missing.has(revision.id())) {
          revision.changes().forEach((Change change) -> definition.apply(change));
        }
      }
    }
    String extensionSchema = now.extension() == null ? "public" : now.extension().schema();
    return new Verifier(session, Renderer.withExtensionIn(extensionSchema)).differences(definition);
  }

  /**
   * Looks at what calls depend on, for the role that the data source connects: the versions of
   * server and extension with their known faults, privileges, policies that do not hold for the
   * role, a search_path that leads to what anybody may have made, indexes that are invalid or
   * bloated, memory for builds, settings, vacuum and statistics. Changes nothing.
   *
   * <p>An index is called bloated by an estimate from the catalog, which reads no index: a B-tree
   * above 16 MB that takes over three times what the entries need that were there when it was last
   * vacuumed, analysed or built, and an HNSW index above 64 MB that takes over three times what the
   * table's rows need. The estimate for B-trees needs statistics ({@code ANALYZE}) that the role
   * may see, and counts equal keys as if each were stored on its own: an index of few different
   * keys must grow far more before it is named. {@code pgstatindex} of the extension pgstattuple,
   * which reads the whole index, tells more.
   *
   * <p>Of GIN indexes, the list of what is in no order yet is looked at where pgstattuple is there
   * ({@code pgstatginindex}); their bloat is not, since the catalog does not say how many words and
   * tags are stored or how well they compress, and pgstattuple does not either. To look, compare
   * {@code pg_relation_size} before and after {@code REINDEX INDEX CONCURRENTLY}, or add up {@code
   * pg_freespace} (extension pg_freespacemap), which knows the pages that are empty.
   *
   * @return the findings, the gravest first; empty if nothing was found
   */
  public List<Finding> checkUp() {
    return runner().reading(session -> new CheckUp(session, options).findings());
  }

  /**
   * What a role needs that reads and writes rows by the data access objects, and neither owns nor
   * changes the schema, as plain SQL for the owner to run after an upgrade. What an expression of
   * the host table's mapping reads beyond its row is not in it, nor is TEMPORARY on the database,
   * which loads that skip or replace need, and those under row-level security: every role has it
   * unless it was revoked from PUBLIC.
   *
   * <p>The role's {@code search_path} should hold no schema in which roles that are not trusted may
   * create; {@code pg_catalog} alone suffices for the data access objects, unless that mapping
   * reaches for more.
   *
   * @param options what the schema looks like
   * @param applicationRole the role's name, without quotes
   * @return a script for {@code psql} or a migration tool
   */
  public static String grantsScript(SchemaOptions options, String applicationRole) {
    return Grants.script(options, Identifiers.check("role", applicationRole));
  }

  /**
   * What a role needs that works for all projects, as a {@code JobWorker} without a project does:
   * {@link #grantsScript} and, where {@linkplain SchemaOptions#rowLevelSecurity() row-level
   * security} is on, a policy that shows it the jobs of all projects. Consolidated memories it has
   * project by project like any other. There is one such role, and its members; the last script
   * that ran decides.
   *
   * @param options what the schema looks like
   * @param workerRole the role's name, without quotes
   * @return a script for {@code psql} or a migration tool, to be run after the upgrade
   */
  public static String workerGrantsScript(SchemaOptions options, String workerRole) {
    return Grants.workerScript(options, Identifiers.check("role", workerRole));
  }

  /**
   * The upgrade as plain SQL. It changes what {@link #upgrade} would change and records the same,
   * so that a later upgrade finds nothing to do; without its retries. Where a lock on a table is
   * not to be had within 2 seconds, or within the {@code lock_timeout} that the session has, it
   * fails, and may be run again. All of it is one transaction, the indexes included: where a table
   * that these are of has 64 MB or more, it is refused unless {@link ScriptContext#allowing} allows
   * {@link Hazard#BLOCKS_FOR_LONG}; {@link #upgrade} and the script of {@link #plan} build them
   * online.
   *
   * @param options what the schema looks like
   * @param context the database it will run on
   * @return a script for {@code psql} or a migration tool, to be run in one transaction
   */
  public static String upgradeScript(SchemaOptions options, ScriptContext context) {
    return new ScriptWriter(options, context, Online.DEFAULT.threshold()).upgrade();
  }

  /**
   * The downgrade as plain SQL, with the same guards as {@link #downgradeTo}. It waits for locks as
   * {@link #upgradeScript} does.
   *
   * @param options what the schema looks like
   * @param context the database it will run on
   * @return a script for {@code psql} or a migration tool, to be run in one transaction
   */
  public static String downgradeScript(SchemaOptions options, ScriptContext context) {
    return new ScriptWriter(options, context, Online.DEFAULT.threshold()).downgrade();
  }

  /**
   * Reads what is in the database, by one read-only query that works on a replica, in any
   * transaction and under any search_path.
   *
   * @param connection an open connection; left as it is
   * @param options what is expected
   * @return what is there
   * @throws SchemaMismatchException if the database was not upgraded, with other options, or by a
   *     newer version whose changes do not only add
   */
  public static SchemaState inspect(Connection connection, SchemaOptions options) {
    Snapshot now = Snapshot.read(connection, options);
    Extension extension = now.extension();
    if (extension == null || !now.has(OwnRevisions.CONSOLIDATION_001)) {
      throw new SchemaMismatchException(
          "The consolidation schema is not in "
              + options.schema()
              + " of this database. Run Schema.on(dataSource, options).upgrade()",
          List.of());
    }
    new RecordCheck(options, new Planner(options, List.of()).streams(now.hostTableAdopted()))
        .check(now);
    if (options.rowLevelSecurity() && !now.has(OwnRevisions.CONSOLIDATION_005)) {
      throw new SchemaMismatchException(
          "Row-level security is not on in the schema "
              + options.schema()
              + ". Run Schema.on(dataSource, options).upgrade()",
          List.of("row-level security: recorded false, given true"));
    }
    Set<String> revisions = new HashSet<>();
    now.applied().forEach(row -> revisions.add(row.revision()));
    return new SchemaState(
        revisions, extension.schema(), extension.version(), now.serverVersionNum());
  }
}
