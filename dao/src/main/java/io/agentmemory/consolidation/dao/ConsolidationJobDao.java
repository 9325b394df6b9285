package io.agentmemory.consolidation.dao;

import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.statement.Query;
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
  private static final int LONGEST_PHASE = 255;
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
    return database.of(job.projectId()).write("jobs.enqueue", handle -> insert(handle, job));
  }

  private ConsolidationJob insert(Handle handle, NewJob job) {
    String id = job.id() == null ? Ids.next() : job.id();
    return query(handle, sql(handle).enqueue)
        .bind("id", id)
        .bind("project", job.projectId())
        .bind("trigger", job.trigger().value())
        .bind("scope", job.scope())
        .bind("maxRetries", job.maxRetries())
        .bind("triggeredBy", job.triggeredBy())
        .map(JobRow::read)
        .findOne()
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
              JobUpkeepSql sql = upkeep(handle);
              String isolation =
                  query(handle, sql.lockProject)
                      .bind("table", database.names(handle.getConnection()).jobs())
                      .bind("project", job.projectId())
                      .map((row, context) -> row.getString(1))
                      .one();
              if (!isolation.equals("read committed")) {
                throw new InvalidInputException(
                    "the joined transaction is at %s, at which it cannot be seen whether another job has"
                            .formatted(isolation)
                        + " been enqueued meanwhile: enqueue at READ COMMITTED");
              }
              return query(handle, sql.active)
                  .bind("project", job.projectId())
                  .map(JobRow::read)
                  .findOne()
                  .orElseGet(() -> insert(handle, job));
            });
  }

  /**
   * Claims the job of a project that has waited longest.
   *
   * @param projectId the project
   * @return the job, running, with its lease; empty if none is pending that no other claim is
   *     taking
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
   * @return the jobs, running, each with its lease; fewer than asked for if no more are pending
   */
  public List<ConsolidationJob> claim(String projectId, int limit) {
    Checks.id("projectId", projectId);
    Checks.between("limit", limit, 1, MOST_CLAIMED);
    return database
        .of(projectId)
        .write(
            "jobs.claim",
            handle ->
                query(handle, sql(handle).claim)
                    .bind("project", projectId)
                    .bind("limit", limit)
                    .map(JobRow::read)
                    .list());
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
    return database
        .of(projectId)
        .write("jobs.claimJob", handle -> job(handle, sql(handle).claimJob, projectId, id));
  }

  /**
   * Claims jobs of whichever projects have some that are due, an equal share of each: no project
   * waits because another has many. Which come first if not all can is left to chance. Takes time
   * with the number of projects that have pending jobs, not with the number of jobs. With row-level
   * security only the role of {@link io.agentmemory.consolidation.schema.Schema#workerGrantsScript}
   * sees the jobs of all projects.
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
          try (Call call = Call.prepare(connection, deadline, sql(connection).claimOfAll)) {
            return JobRow.readAll(call.integer("limit", limit).query());
          }
        });
  }

  /**
   * Says that the job's worker is alive, which keeps it from being rescued. It waits for nothing.
   *
   * @param lease the job's lease
   * @throws LeaseLostException if the job is no longer the caller's
   */
  public void heartbeat(JobLease lease) {
    Checks.notNull("lease", lease);
    underLease(
        "jobs.heartbeat",
        lease,
        handle -> leased(handle, sql(handle).heartbeat, lease).mapTo(Boolean.class).findOne());
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
    return database
        .of(lease.projectId())
        .write(
            operation,
            handle ->
                leased(handle, sql(handle).recordPhase, lease)
                    .bind("phase", phase)
                    .bind("metrics", metrics)
                    .map(JobRow::read)
                    .findOne()
                    .orElseThrow(() -> notRecorded(handle, lease, phase, operation)));
  }

  /**
   * Records that a phase is done, or finds that it was recorded before. To be called in the
   * transaction that writes the phase's data, ahead of the data; if the answer is false there is
   * nothing to write.
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

  /** Only a failed call gets here; whichever it was, it must not be tried again as it is. */
  private RuntimeException notRecorded(
      Handle handle, JobLease lease, String phase, String operation) {
    boolean recorded =
        leased(handle, sql(handle).phaseRecorded, lease)
            .bind("phase", phase)
            .mapTo(Boolean.class)
            .findOne()
            .isPresent();
    return recorded
        ? new PhaseAlreadyRecordedException(lease.jobId(), phase)
        : new LeaseLostException(lease.jobId(), operation);
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
    String operation = "jobs.complete";
    return database
        .of(lease.projectId())
        .command(
            operation,
            (connection, deadline) -> {
              try (Call call = Call.prepare(connection, deadline, sql(connection).complete)) {
                call.text("project", lease.projectId())
                    .text("id", lease.jobId())
                    .time("startedAt", lease.startedAt())
                    .text("metrics", metrics);
                return JobRow.readAll(call.query()).stream()
                    .findFirst()
                    .orElseThrow(() -> new LeaseLostException(lease.jobId(), operation));
              }
            });
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
        handle ->
            leased(handle, sql(handle).fail, lease)
                .bind("error", message)
                .bind("again", again)
                .bind("delay", delay)
                .map(JobRow::read)
                .findOne());
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
    return underLease(
        "jobs.release",
        lease,
        handle -> leased(handle, sql(handle).release, lease).map(JobRow::read).findOne());
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
        .write(
            "jobs.rescue",
            handle ->
                rescue(handle, upkeep(handle).rescue, silence, limit)
                    .bind("project", projectId)
                    .map(JobRow::read)
                    .list());
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
    return database.write(
        "jobs.rescueOfAllProjects",
        handle ->
            rescue(handle, upkeep(handle).rescueOfAll, silence, limit).map(JobRow::read).list());
  }

  private static void checkRescue(Duration silence, int limit) {
    Checks.positive("silence", silence);
    seconds("silence", silence);
    Checks.between("limit", limit, 1, MOST_CLAIMED);
  }

  private static Query rescue(Handle handle, String sql, Duration silence, int limit) {
    return query(handle, sql)
        .bind("silence", seconds("silence", silence))
        .bind("error", NO_HEARTBEAT.formatted(silence.toSeconds()))
        .bind("again", true)
        .bind("delay", 0.0)
        .bind("limit", limit);
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
    return database
        .of(projectId)
        .write("jobs.cancel", handle -> job(handle, sql(handle).cancel, projectId, id));
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
        .read("jobs.find", handle -> job(handle, sql(handle).find, projectId, id));
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
        .read(
            "jobs.list",
            handle -> {
              Query query =
                  query(handle, status == null ? sql(handle).list : sql(handle).listStatus);
              if (status != null) {
                query.bind("status", status.value());
              }
              List<ConsolidationJob> jobs =
                  query
                      .bind("project", projectId)
                      .bind("afterTime", TimeKey.argument(after.time()))
                      .bind("afterId", after.id())
                      .bind("limit", page.size() + 1)
                      .map(JobRow::read)
                      .list();
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
    return database
        .of(projectId)
        .read(
            "jobs.statistics",
            handle ->
                query(handle, upkeep(handle).statistics)
                    .bind("project", projectId)
                    .map(JobStatistics::read)
                    .one());
  }

  /**
   * Deletes a project's jobs that came to their end: completed, failed or cancelled. Each batch is
   * a transaction of its own, unless one is joined.
   *
   * @param projectId the project
   * @param age how long ago at least, by the database's clock; not negative
   * @param batch how many at a time, from 1 to 100,000
   * @return how many were deleted
   */
  public long prune(String projectId, Duration age, int batch) {
    Checks.id("projectId", projectId);
    double seconds = seconds("age", age);
    Checks.between("batch", batch, 1, MOST_PRUNED);
    long pruned = 0;
    int deleted;
    do {
      deleted =
          database
              .of(projectId)
              .write(
                  "jobs.prune",
                  handle ->
                      handle
                          .createUpdate(upkeep(handle).prune)
                          .bind("project", projectId)
                          .bind("age", seconds)
                          .bind("limit", batch)
                          .execute());
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

  /** Writes what only the holder of the lease may; nothing is found where the lease was lost. */
  private <T> T underLease(String operation, JobLease lease, Function<Handle, Optional<T>> write) {
    return database
        .of(lease.projectId())
        .write(
            operation,
            handle ->
                write
                    .apply(handle)
                    .orElseThrow(() -> new LeaseLostException(lease.jobId(), operation)));
  }

  private static Query leased(Handle handle, String sql, JobLease lease) {
    return query(handle, sql)
        .bind("project", lease.projectId())
        .bind("id", lease.jobId())
        .bind("startedAt", TimeKey.argument(lease.startedAt()));
  }

  /** The job that a statement on one of a project gives. */
  private static Optional<ConsolidationJob> job(
      Handle handle, String sql, String projectId, String id) {
    return query(handle, sql).bind("project", projectId).bind("id", id).map(JobRow::read).findOne();
  }

  private static Query query(Handle handle, String sql) {
    return handle.createQuery(sql);
  }

  private JobUpkeepSql upkeep(Handle handle) {
    sql(handle);
    return database.statements(handle.getConnection(), JobUpkeepSql.class, JobUpkeepSql::new);
  }

  private JobSql sql(Handle handle) {
    return sql(handle.getConnection());
  }

  private JobSql sql(Connection connection) {
    return database.statements(connection, JobSql.class, JobSql::new);
  }
}
