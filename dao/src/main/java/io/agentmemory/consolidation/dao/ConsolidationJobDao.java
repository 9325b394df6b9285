package io.agentmemory.consolidation.dao;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Consolidation jobs: enqueued by whoever wants one, claimed by one worker, done phase by phase.
 *
 * <p>A worker claims a job, does each phase that is not yet in {@link
 * ConsolidationJob#phasesCompleted}, records it in the same transaction as the phase's data ({@link
 * Consolidation#joining}), and completes or fails the job. What it writes after the claim carries
 * the {@linkplain ConsolidationJob#lease lease}. Once another has the job, or it was cancelled, the
 * write fails with {@link LeaseLostException}, which must end the transaction that it is in: so a
 * phase is in the database exactly once, and a cancel needs no signal.
 *
 * <p>A worker that dies leaves its job running; {@linkplain #rescue rescue} gives it to another
 * once it has been without a {@linkplain #heartbeat heartbeat} for some time.
 *
 * <p>The jobs need revision {@code consolidation_004}; without it every call throws {@link
 * io.agentmemory.consolidation.schema.SchemaMismatchException}.
 *
 * <p>{@link JobStatus} says which ways a job can go. No call goes any other.
 *
 * <p>Immutable and thread-safe, save for what has joined a connection.
 */
public final class ConsolidationJobDao {
  static final int LONGEST_PHASE = 255;
  private static final int LONGEST_ERROR = 65_536;
  private static final int MOST_CLAIMED = 1_000;
  private static final int MOST_PRUNED = 100_000;

  private static final Duration LONGEST_TIME = Duration.ofDays(36_500);
  private static final String NO_HEARTBEAT =
      "Its worker gave no sign of life for %,d seconds or more, and the job was taken from it";

  private final Database database;

  ConsolidationJobDao(Database database) {
    this.database = database;
  }

  /**
   * Enqueues a job.
   *
   * @param job the job
   * @return the job as it is in the database, pending
   * @throws DuplicateIdException if its id is taken
   */
  public ConsolidationJob enqueue(NewJob job) {
    Checks.notNull("job", job);
    return database
        .of(job.projectId())
        .command("jobs.enqueue", (connection, deadline) -> insert(connection, deadline, job));
  }

  private ConsolidationJob insert(Connection connection, @Nullable Deadline deadline, NewJob job)
      throws SQLException {
    String id = job.id() == null ? Ids.next() : job.id();
    return JobRow.all(
            connection,
            deadline,
            sql(connection).enqueue,
            call ->
                call.text("id", id)
                    .text("project", job.projectId())
                    .text("trigger", job.trigger().value())
                    .text("scope", job.scope())
                    .integer("maxRetries", job.maxRetries())
                    .text("triggeredBy", job.triggeredBy()))
        .stream()
        .findFirst()
        .orElseThrow(() -> new DuplicateIdException("job", id));
  }

  /**
   * Enqueues a job unless its project has an active one, that is one pending or running. Calls for
   * the same project wait for each other, in a transaction that is joined until that ends; {@link
   * #enqueue} waits for nobody and is not held back by an active job.
   *
   * @param job the job
   * @return the job as it is in the database, pending; or else the project's active job, the oldest
   *     if there are several
   * @throws DuplicateIdException if its id is taken
   * @throws InvalidInputException if a transaction that is joined is not at READ COMMITTED, at
   *     which alone it can be seen what others have enqueued meanwhile
   */
  public ConsolidationJob enqueueUnlessActive(NewJob job) {
    Checks.notNull("job", job);
    return database
        .of(job.projectId())
        .transact(
            "jobs.enqueueUnlessActive",
            handle -> {
              Connection connection = handle.getConnection();
              Deadline deadline = JdbiHandles.deadline(handle);
              JobUpkeepSql sql = upkeep(connection);
              lock(connection, deadline, sql.lockProject, job.projectId());
              List<ConsolidationJob> active =
                  JobRow.all(
                      connection,
                      deadline,
                      sql.active,
                      call -> call.text("project", job.projectId()));
              return active.isEmpty() ? insert(connection, deadline, job) : active.get(0);
            });
  }

  private void lock(
      Connection connection, @Nullable Deadline deadline, Sql lockProject, String projectId)
      throws SQLException {
    String isolation;
    try (Call call = Call.prepare(connection, deadline, lockProject)) {
      ResultSet row =
          call.text("table", database.names(connection).jobs()).text("project", projectId).query();
      row.next();
      isolation = row.getString(1);
    }
    Checks.readCommitted(isolation, "another job has been enqueued", "enqueue");
  }

  /**
   * Claims the job of a project that has waited longest.
   *
   * @param projectId the project
   * @return the job, running, with its lease; empty if none is due that no other claim is taking
   */
  public Optional<ConsolidationJob> claim(String projectId) {
    return claim(projectId, 1).stream().findFirst();
  }

  /**
   * Claims jobs of a project, those that have waited longest first. Claims at the same time get
   * different jobs, and do not wait for each other.
   *
   * @param projectId the project
   * @param limit at most so many, from 1 to 1,000
   * @return the jobs, running, each with its lease; fewer than asked for if no more are due
   */
  public List<ConsolidationJob> claim(String projectId, int limit) {
    Checks.id("projectId", projectId);
    Checks.between("limit", limit, 1, MOST_CLAIMED);
    return write(
            database.of(projectId),
            "jobs.claim",
            sql -> sql.claim,
            call -> call.text("project", projectId).integer("limit", limit))
        .stream()
        .sorted(JobRow.OLDEST_FIRST)
        .toList();
  }

  /**
   * Claims one job, also before its time has come.
   *
   * @param projectId the project
   * @param id the job
   * @return the job, running, with its lease; empty if the project has no such job, it is not
   *     pending, or another claim is taking it
   */
  public Optional<ConsolidationJob> claimJob(String projectId, String id) {
    Checks.id("projectId", projectId);
    Checks.id("id", id);
    return one(projectId, "jobs.claimJob", id, sql -> sql.claimJob);
  }

  /**
   * Claims jobs of whichever projects have some that are due: no project waits because another has
   * many. The claims of a {@link Consolidation} go round the projects, from one that chance chose:
   * each goes on after the project that one before it came to, and takes of each project no more
   * than the square root of the limit, or an equal share where there are too few projects for that.
   * Takes time with the number of projects that it claims from, at most with that of those that
   * have pending jobs, and not with the number of jobs. With row-level security only the role of
   * {@link io.agentmemory.consolidation.schema.Schema#workerGrantsScript} sees the jobs of all
   * projects.
   *
   * @param limit at most so many, from 1 to 1,000
   * @return the jobs, running, each with its lease; at least one if there is one that is due and
   *     that no other claim is taking; it may be fewer than asked for although there are more
   */
  public List<ConsolidationJob> claimOfAllProjects(int limit) {
    Checks.between("limit", limit, 1, MOST_CLAIMED);
    return database.command(
        "jobs.claimOfAllProjects",
        (connection, deadline) -> {
          JobSql sql = sql(connection);
          return database
              .jobTurns()
              .claim(
                  limit,
                  inTurn ->
                      Call.prepare(
                          connection, deadline, inTurn ? sql.claimInTurn : sql.claimOfAll));
        });
  }

  /**
   * Says that the job's worker is alive, which keeps it from being rescued. It waits for nothing: a
   * job whose row is locked, by a transaction of the same worker as a rule, is passed by, and is as
   * it was when that ends.
   *
   * @param lease the job's lease
   * @throws LeaseLostException if the job is no longer the caller's
   */
  public void heartbeat(JobLease lease) {
    Checks.notNull("lease", lease);
    String operation = "jobs.heartbeat";
    database
        .of(lease.projectId())
        .command(
            operation,
            (connection, deadline) -> {
              if (!found(
                  connection, deadline, sql(connection).heartbeat, call -> set(call, lease))) {
                throw new LeaseLostException(lease.jobId(), operation);
              }
              return lease;
            });
  }

  /**
   * The same for many jobs together. A job that is locked is passed by, and not lost.
   *
   * @param projectId the project of all leases; null: they may be of any
   * @param leases the leases, at most 1,000
   * @return those that are lost
   */
  Set<JobLease> heartbeatAll(@Nullable String projectId, List<JobLease> leases) {
    Database of = projectId == null ? database : database.of(projectId);
    Set<JobLease> held =
        of.command(
            "jobs.heartbeatAll",
            (connection, deadline) ->
                held(
                    connection,
                    deadline,
                    sql(connection).heartbeatAll,
                    leases,
                    call -> set(call, leases)));
    Set<JobLease> lost = without(leases, held);
    if (projectId != null || !database.options().rowLevelSecurity()) {
      return lost;
    }
    // A job that the role does not see among those of all projects, it may in its own.
    Map<String, List<JobLease>> unseen =
        lost.stream().collect(Collectors.groupingBy(JobLease::projectId));
    return unseen.entrySet().stream()
        .flatMap(project -> heartbeatAll(project.getKey(), project.getValue()).stream())
        .collect(Collectors.toSet());
  }

  /**
   * Records that a phase is done; to be called in the transaction that writes the phase's data.
   *
   * @param lease the job's lease
   * @param phase the phase's name, at most 255 characters
   * @param metrics a JSON object whose members are added to the job's metrics, or replace those of
   *     the same name
   * @return the job as it is now
   * @throws PhaseAlreadyRecordedException if the phase was recorded before
   * @throws LeaseLostException if the job is no longer the caller's
   */
  public ConsolidationJob recordPhase(JobLease lease, String phase, String metrics) {
    Checks.notNull("lease", lease);
    Checks.name("phase", phase, LONGEST_PHASE);
    JsonObjects.check("metrics", metrics);
    String operation = "jobs.recordPhase";
    Call.Parameters recorded = call -> set(call, lease).text("phase", phase);
    return database
        .of(lease.projectId())
        .command(
            operation,
            (connection, deadline) -> {
              JobSql sql = sql(connection);
              List<ConsolidationJob> jobs =
                  JobRow.all(
                      connection,
                      deadline,
                      sql.recordPhase,
                      call -> set(call, lease).text("phase", phase).text("metrics", metrics));
              if (!jobs.isEmpty()) {
                return jobs.get(0);
              }
              // Whichever it was, the call has failed, and must not be tried again as it is.
              throw found(connection, deadline, sql.phaseRecorded, recorded)
                  ? new PhaseAlreadyRecordedException(lease.jobId(), phase)
                  : new LeaseLostException(lease.jobId(), operation);
            });
  }

  /**
   * Records that a phase is done, or finds that it was recorded before. To be called in the
   * transaction that writes the phase's data, ahead of the data; if the answer is false there is
   * nothing to write. No heartbeat reaches the job until that transaction ends: it should take less
   * than the time after which jobs are rescued.
   *
   * @param lease the job's lease
   * @param phase the phase's name, at most 255 characters
   * @param metrics as for {@link #recordPhase}; left alone if the phase was recorded before
   * @return whether it was recorded now
   * @throws LeaseLostException if the job is no longer the caller's
   */
  public boolean beginPhase(JobLease lease, String phase, String metrics) {
    try {
      recordPhase(lease, phase, metrics);
      return true;
    } catch (PhaseAlreadyRecordedException before) {
      return false;
    }
  }

  /**
   * Completes a job.
   *
   * @param lease the job's lease
   * @param metrics a JSON object whose members are added to the job's metrics, or replace those of
   *     the same name
   * @return the job, completed
   * @throws LeaseLostException if the job is no longer the caller's
   */
  public ConsolidationJob complete(JobLease lease, String metrics) {
    Checks.notNull("lease", lease);
    JsonObjects.check("metrics", metrics);
    return underLease(
        "jobs.complete",
        lease,
        sql -> sql.complete,
        call -> set(call, lease).text("metrics", metrics));
  }

  /**
   * Completes jobs of a project by one statement, which takes a fraction of the time of as many
   * calls. It is for short jobs that were claimed together: a lease that was lost keeps none of the
   * others from being completed. Only in a transaction that is joined, which may hold what was
   * written under that lease, is it thrown, as by {@link #complete}, and none is completed.
   *
   * @param projectId the project
   * @param metrics the leases, at most 1,000, each with a JSON object as for {@link #complete}
   * @return the leases that were lost, whose jobs are as they were; the others are completed
   * @throws InvalidInputException if a lease is of another project, or a connection is joined that
   *     is in no transaction
   * @throws LeaseLostException in a joined transaction, if any job is no longer the caller's
   */
  public Set<JobLease> completeAll(String projectId, Map<JobLease, String> metrics) {
    Checks.id("projectId", projectId);
    List<JobLease> leases = leases(metrics);
    for (JobLease lease : leases) {
      if (!lease.projectId().equals(projectId)) {
        throw new InvalidInputException(
            "metrics must have leases of the project %s only, has one of %s"
                .formatted(Checks.quoted(projectId), Checks.quoted(lease.projectId())));
      }
    }
    return complete(database.of(projectId), "jobs.completeAll", leases, metrics);
  }

  /**
   * The same for jobs of any projects; with row-level security, for those that {@link
   * io.agentmemory.consolidation.schema.Schema#workerGrantsScript} shows, and lost are the others.
   *
   * @param metrics the leases, at most 1,000, each with a JSON object as for {@link #complete}
   * @return the leases that were lost, whose jobs are as they were; the others are completed
   * @throws InvalidInputException if a connection is joined that is in no transaction
   * @throws LeaseLostException in a joined transaction, if any job is no longer the caller's
   */
  public Set<JobLease> completeOfAllProjects(Map<JobLease, String> metrics) {
    return complete(database, "jobs.completeOfAllProjects", leases(metrics), metrics);
  }

  /** In one order, so that no two calls wait for each other. */
  private List<JobLease> leases(Map<JobLease, String> metrics) {
    Checks.notNull("metrics", metrics);
    Checks.between("metrics.size", metrics.size(), 0, MOST_CLAIMED);
    metrics.forEach(
        (lease, object) -> {
          Checks.notNull("metrics.key", lease);
          JsonObjects.check("metrics.value", object);
        });
    return metrics.keySet().stream()
        .sorted(Comparator.comparing(JobLease::projectId).thenComparing(JobLease::jobId))
        .toList();
  }

  private Set<JobLease> complete(
      Database of, String operation, List<JobLease> leases, Map<JobLease, String> metrics) {
    if (leases.isEmpty()) {
      return Set.of();
    }
    List<String> objects = leases.stream().map(metrics::get).toList();
    Call.Parameters parameters = call -> set(call, leases).documents("metrics", objects);
    Set<JobLease> completed;
    if (of.joined()) {
      completed =
          of.transact(
              operation,
              handle -> {
                Connection connection = handle.getConnection();
                Deadline deadline = JdbiHandles.deadline(handle);
                Sql sql = sql(connection).completeAll;
                Set<JobLease> held = held(connection, deadline, sql, leases, parameters);
                if (held.size() < leases.size()) {
                  throw new LeaseLostException(
                      without(leases, held).iterator().next().jobId(), operation);
                }
                return held;
              });
    } else {
      completed =
          of.command(
              operation,
              (connection, deadline) ->
                  held(connection, deadline, sql(connection).completeAll, leases, parameters));
    }
    return without(leases, completed);
  }

  /** The leases that a statement gives the places of, from 1. */
  private static Set<JobLease> held(
      Connection connection,
      @Nullable Deadline deadline,
      Sql sql,
      List<JobLease> leases,
      Call.Parameters parameters)
      throws SQLException {
    Set<JobLease> held = new HashSet<>();
    try (Call call = Call.prepare(connection, deadline, sql)) {
      parameters.set(call);
      ResultSet places = call.query();
      while (places.next()) {
        held.add(leases.get(places.getInt(1) - 1));
      }
    }
    return held;
  }

  private static Set<JobLease> without(List<JobLease> leases, Set<JobLease> held) {
    Set<JobLease> lost = new LinkedHashSet<>(leases);
    lost.removeAll(held);
    return Collections.unmodifiableSet(lost);
  }

  /**
   * Ends a try that failed. The job is pending again, and due at once, if it has a retry left, and
   * failed if not; the phases that were recorded stay so.
   *
   * @param lease the job's lease
   * @param errorMessage why; what PostgreSQL cannot store is replaced by U+FFFD, and after 65,536
   *     characters it is cut off
   * @return the job, pending or failed
   * @throws LeaseLostException if the job is no longer the caller's
   */
  public ConsolidationJob fail(JobLease lease, String errorMessage) {
    return fail(lease, errorMessage, Duration.ZERO);
  }

  /**
   * Ends a try that failed. The job is pending again if it has a retry left, and failed if not; the
   * phases that were recorded stay so.
   *
   * @param lease the job's lease
   * @param errorMessage why; as for {@link #fail(JobLease, String)}
   * @param retryIn for how long the job is not to be claimed again, by the database's clock; not
   *     negative
   * @return the job, pending or failed
   * @throws LeaseLostException if the job is no longer the caller's
   */
  public ConsolidationJob fail(JobLease lease, String errorMessage, Duration retryIn) {
    double delay = seconds("retryIn", retryIn);
    return end("jobs.fail", lease, errorMessage, true, delay);
  }

  /**
   * Ends a try that failed in a way that another would fail in too. The job is failed, whatever
   * retries it has left.
   *
   * @param lease the job's lease
   * @param errorMessage why; as for {@link #fail(JobLease, String)}
   * @return the job, failed
   * @throws LeaseLostException if the job is no longer the caller's
   */
  public ConsolidationJob failForGood(JobLease lease, String errorMessage) {
    return end("jobs.failForGood", lease, errorMessage, false, 0);
  }

  private ConsolidationJob end(
      String operation, JobLease lease, String errorMessage, boolean again, double delay) {
    Checks.notNull("lease", lease);
    String message = Checks.storable("errorMessage", errorMessage, LONGEST_ERROR);
    return underLease(
        operation,
        lease,
        sql -> sql.fail,
        call ->
            set(call, lease).text("error", message).flag("again", again).number("delay", delay));
  }

  /**
   * Hands a job back that its worker cannot finish, for example because it stops. The job is
   * pending, and due at once; it costs no retry, and the phases that were recorded stay so.
   *
   * @param lease the job's lease
   * @return the job, pending
   * @throws LeaseLostException if the job is no longer the caller's
   */
  public ConsolidationJob release(JobLease lease) {
    Checks.notNull("lease", lease);
    return underLease("jobs.release", lease, sql -> sql.release, call -> set(call, lease));
  }

  /**
   * Takes a project's jobs from workers that gave no sign of life: no claim, heartbeat or phase. It
   * ends their try as {@link #fail(JobLease, String)} does.
   *
   * @param projectId the project
   * @param silence for how long, by the database's clock; several times the time between heartbeats
   * @param limit at most so many, from 1 to 1,000
   * @return the jobs, pending or failed
   */
  public List<ConsolidationJob> rescue(String projectId, Duration silence, int limit) {
    Checks.id("projectId", projectId);
    checkRescue(silence, limit);
    return database
        .of(projectId)
        .command(
            "jobs.rescue",
            (connection, deadline) ->
                JobRow.all(
                    connection,
                    deadline,
                    upkeep(connection).rescue,
                    call -> rescue(call, silence, limit).text("project", projectId)));
  }

  /**
   * The same for the jobs of all projects; with row-level security, for those that {@link
   * io.agentmemory.consolidation.schema.Schema#workerGrantsScript} shows.
   *
   * @param silence for how long, by the database's clock; several times the time between heartbeats
   * @param limit at most so many, from 1 to 1,000
   * @return the jobs, pending or failed
   */
  public List<ConsolidationJob> rescueOfAllProjects(Duration silence, int limit) {
    checkRescue(silence, limit);
    return database.command(
        "jobs.rescueOfAllProjects",
        (connection, deadline) ->
            JobRow.all(
                connection,
                deadline,
                upkeep(connection).rescueOfAll,
                call -> rescue(call, silence, limit)));
  }

  private static void checkRescue(Duration silence, int limit) {
    Checks.positive("silence", silence);
    seconds("silence", silence);
    Checks.between("limit", limit, 1, MOST_CLAIMED);
  }

  private static Call rescue(Call call, Duration silence, int limit) throws SQLException {
    return call.number("silence", seconds("silence", silence))
        .text("error", NO_HEARTBEAT.formatted(silence.toSeconds()))
        .flag("again", true)
        .number("delay", 0.0)
        .integer("limit", limit);
  }

  /**
   * Calls a job off, whether it is pending or running. A worker that has it finds its lease lost at
   * its next write.
   *
   * @param projectId the project
   * @param id the job
   * @return the job, cancelled; empty if the project has no such job, or it has come to its end
   */
  public Optional<ConsolidationJob> cancel(String projectId, String id) {
    Checks.id("projectId", projectId);
    Checks.id("id", id);
    return one(projectId, "jobs.cancel", id, sql -> sql.cancel);
  }

  /**
   * Finds a job.
   *
   * @param projectId the project
   * @param id the job
   * @return the job; empty if the project has no such job
   */
  public Optional<ConsolidationJob> find(String projectId, String id) {
    Checks.id("projectId", projectId);
    Checks.id("id", id);
    return database
        .of(projectId)
        .query(
            "jobs.find",
            (connection, deadline) ->
                JobRow.all(
                    connection,
                    deadline,
                    sql(connection).find,
                    call -> call.text("project", projectId).text("id", id)))
        .stream()
        .findFirst();
  }

  /**
   * Lists a project's jobs, the newest first.
   *
   * @param projectId the project
   * @param page which page
   * @return the page
   */
  public Page<ConsolidationJob> list(String projectId, PageRequest page) {
    return list(projectId, null, page);
  }

  /**
   * Lists a project's jobs of one status, the newest first.
   *
   * @param projectId the project
   * @param status the status; null: any
   * @param page which page
   * @return the page
   */
  public Page<ConsolidationJob> list(
      String projectId, @Nullable JobStatus status, PageRequest page) {
    Checks.id("projectId", projectId);
    Checks.page(page);
    if (status == JobStatus.UNKNOWN) {
      throw new InvalidInputException("status must not be UNKNOWN: give one of the others");
    }
    TimeKey after = TimeKey.after(page);
    return database
        .of(projectId)
        .query(
            "jobs.list",
            (connection, deadline) -> {
              JobSql sql = sql(connection);
              List<ConsolidationJob> jobs =
                  JobRow.all(
                      connection,
                      deadline,
                      status == null ? sql.list : sql.listStatus,
                      call -> {
                        call.text("project", projectId)
                            .time("afterTime", after.time())
                            .text("afterId", after.id())
                            .integer("limit", page.size() + 1);
                        if (status != null) {
                          call.text("status", status.value());
                        }
                      });
              return TimeKey.page(page, jobs, job -> new TimeKey(job.createdAt(), job.id()));
            });
  }

  /**
   * How a project's jobs stand, by one scan of them.
   *
   * @param projectId the project
   * @return the figures
   */
  public JobStatistics statistics(String projectId) {
    Checks.id("projectId", projectId);
    return statistics(
        database.of(projectId),
        "jobs.statistics",
        sql -> sql.statistics,
        call -> call.text("project", projectId));
  }

  /**
   * How the jobs of all projects stand, by one scan of the table, which takes time with its size;
   * with row-level security, those that {@link
   * io.agentmemory.consolidation.schema.Schema#workerGrantsScript} shows.
   *
   * @return the figures
   */
  public JobStatistics statisticsOfAllProjects() {
    return statistics(
        database, "jobs.statisticsOfAllProjects", sql -> sql.statisticsOfAll, call -> {});
  }

  private JobStatistics statistics(
      Database of,
      String operation,
      Function<JobUpkeepSql, Sql> statement,
      Call.Parameters parameters) {
    return of.query(
        operation,
        (connection, deadline) -> {
          try (Call call =
              Call.prepare(connection, deadline, statement.apply(upkeep(connection)))) {
            parameters.set(call);
            ResultSet row = call.query();
            row.next();
            return JobStatistics.read(row);
          }
        });
  }

  /**
   * Deletes a project's jobs that came to their end: completed, failed or cancelled. Each batch is
   * a call of its own, with the whole of a timeout, and in a transaction of its own unless one is
   * joined: where one fails, those before it stay deleted, and calling again goes on.
   *
   * @param projectId the project
   * @param age how long ago at least, by the database's clock; not negative
   * @param batch how many at a time, from 1 to 100,000
   * @return how many were deleted
   */
  public long prune(String projectId, Duration age, int batch) {
    Checks.id("projectId", projectId);
    return prune(
        database.of(projectId),
        "jobs.prune",
        sql -> sql.prune,
        call -> call.text("project", projectId),
        age,
        batch);
  }

  /**
   * The same for the jobs of all projects, the oldest first; with row-level security, for those
   * that {@link io.agentmemory.consolidation.schema.Schema#workerGrantsScript} shows.
   *
   * @param age how long ago at least, by the database's clock; not negative
   * @param batch how many at a time, from 1 to 100,000
   * @return how many were deleted
   */
  public long pruneOfAllProjects(Duration age, int batch) {
    return prune(
        database, "jobs.pruneOfAllProjects", sql -> sql.pruneOfAll, call -> {}, age, batch);
  }

  private long prune(
      Database of,
      String operation,
      Function<JobUpkeepSql, Sql> statement,
      Call.Parameters parameters,
      Duration age,
      int batch) {
    double seconds = seconds("age", age);
    Checks.between("batch", batch, 1, MOST_PRUNED);
    long pruned = 0;
    int deleted;
    do {
      deleted =
          of.command(
              operation,
              (connection, deadline) -> {
                Sql prune = statement.apply(upkeep(connection));
                try (Call call = Call.prepare(connection, deadline, prune)) {
                  parameters.set(call);
                  return call.number("age", seconds).integer("limit", batch).update();
                }
              });
      pruned += deleted;
    } while (deleted == batch);
    return pruned;
  }

  private static double seconds(String name, Duration time) {
    Checks.notNull(name, time);
    if (time.isNegative() || time.compareTo(LONGEST_TIME) > 0) {
      throw new InvalidInputException(
          "%s must be from nothing to %,d days, was %s"
              .formatted(name, LONGEST_TIME.toDays(), time));
    }
    return time.getSeconds() + time.getNano() / 1e9;
  }

  private List<ConsolidationJob> write(
      Database of, String operation, Function<JobSql, Sql> statement, Call.Parameters parameters) {
    return of.command(
        operation,
        (connection, deadline) ->
            JobRow.all(connection, deadline, statement.apply(sql(connection)), parameters));
  }

  /** Writes to one job of a project. */
  private Optional<ConsolidationJob> one(
      String projectId, String operation, String id, Function<JobSql, Sql> statement) {
    return write(
            database.of(projectId),
            operation,
            statement,
            call -> call.text("project", projectId).text("id", id))
        .stream()
        .findFirst();
  }

  /** Writes what only the holder of the lease may; nothing is found where the lease was lost. */
  private ConsolidationJob underLease(
      String operation,
      JobLease lease,
      Function<JobSql, Sql> statement,
      Call.Parameters parameters) {
    return database
        .of(lease.projectId())
        .command(
            operation,
            (connection, deadline) ->
                JobRow.all(connection, deadline, statement.apply(sql(connection)), parameters)
                    .stream()
                    .findFirst()
                    .orElseThrow(() -> new LeaseLostException(lease.jobId(), operation)));
  }

  private static Call set(Call call, JobLease lease) throws SQLException {
    return call.text("project", lease.projectId())
        .text("id", lease.jobId())
        .time("startedAt", lease.startedAt());
  }

  private static Call set(Call call, List<JobLease> leases) throws SQLException {
    return call.texts("projects", leases.stream().map(JobLease::projectId).toList())
        .texts("ids", leases.stream().map(JobLease::jobId).toList())
        .times("startedAts", leases.stream().map(JobLease::startedAt).toList());
  }

  /** Whether a statement gives a row. */
  private static boolean found(
      Connection connection, @Nullable Deadline deadline, Sql sql, Call.Parameters parameters)
      throws SQLException {
    try (Call call = Call.prepare(connection, deadline, sql)) {
      parameters.set(call);
      return call.query().next();
    }
  }

  private JobUpkeepSql upkeep(Connection connection) {
    sql(connection);
    return database.statements(connection, JobUpkeepSql.class, JobUpkeepSql::new);
  }

  private JobSql sql(Connection connection) {
    return database.statements(connection, JobSql.class, JobSql::new);
  }
}
