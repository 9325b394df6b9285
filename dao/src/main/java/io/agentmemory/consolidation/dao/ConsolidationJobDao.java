package io.agentmemory.consolidation.dao;

import java.util.List;
import java.util.Optional;
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
 * <p>{@link JobStatus} says which ways a job can go. No call goes any other.
 *
 * <p>Immutable and thread-safe, save for what has joined a connection.
 */
public final class ConsolidationJobDao {
  private static final int LONGEST_PHASE = 255;
  private static final int LONGEST_ERROR = 65_536;
  private static final int MOST_CLAIMED = 1_000;

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
    String id = job.id() == null ? Ids.next() : job.id();
    return database.write(
        "jobs.enqueue",
        handle ->
            query(handle, sql(handle).enqueue)
                .bind("id", id)
                .bind("project", job.projectId())
                .bind("trigger", job.trigger().value())
                .bind("scope", job.scope())
                .bind("maxRetries", job.maxRetries())
                .bind("triggeredBy", job.triggeredBy())
                .map(JobRow::read)
                .findOne()
                .orElseThrow(() -> new DuplicateIdException("job", id)));
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
    return database.write(
        "jobs.claim",
        handle ->
            query(handle, sql(handle).claim)
                .bind("project", projectId)
                .bind("limit", limit)
                .map(JobRow::read)
                .list());
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
    return database.write(
        operation,
        handle ->
            leased(handle, sql(handle).recordPhase, lease)
                .bind("phase", phase)
                .bind("metrics", metrics)
                .map(JobRow::read)
                .findOne()
                .orElseThrow(() -> notRecorded(handle, lease, phase, operation)));
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
    return database.write(
        operation,
        handle ->
            leased(handle, sql(handle).complete, lease)
                .bind("metrics", metrics)
                .map(JobRow::read)
                .findOne()
                .orElseThrow(() -> new LeaseLostException(lease.jobId(), operation)));
  }

  /**
   * Ends a try that failed. The job is pending again if it has a retry left, and failed if not; the
   * phases that were recorded stay so.
   *
   * @param lease the job's lease
   * @param errorMessage why; what PostgreSQL cannot store is replaced by U+FFFD, and after 65,536
   *     characters it is cut off
   * @return the job, pending or failed
   * @throws LeaseLostException if the job is no longer the caller's
   */
  public ConsolidationJob fail(JobLease lease, String errorMessage) {
    Checks.notNull("lease", lease);
    String message = Checks.storable("errorMessage", errorMessage, LONGEST_ERROR);
    String operation = "jobs.fail";
    return database.write(
        operation,
        handle ->
            leased(handle, sql(handle).fail, lease)
                .bind("error", message)
                .map(JobRow::read)
                .findOne()
                .orElseThrow(() -> new LeaseLostException(lease.jobId(), operation)));
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
    return database.write(
        "jobs.cancel",
        handle ->
            query(handle, sql(handle).cancel)
                .bind("project", projectId)
                .bind("id", id)
                .map(JobRow::read)
                .findOne());
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
    return database.read(
        "jobs.find",
        handle ->
            query(handle, sql(handle).find)
                .bind("project", projectId)
                .bind("id", id)
                .map(JobRow::read)
                .findOne());
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
    return database.read(
        "jobs.list",
        handle -> {
          Query query = query(handle, status == null ? sql(handle).list : sql(handle).listStatus);
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

  private static Query leased(Handle handle, String sql, JobLease lease) {
    return query(handle, sql)
        .bind("project", lease.projectId())
        .bind("id", lease.jobId())
        .bind("startedAt", TimeKey.argument(lease.startedAt()));
  }

  private static Query query(Handle handle, String sql) {
    return handle.createQuery(sql);
  }

  private JobSql sql(Handle handle) {
    return database.statements(handle, JobSql.class, JobSql::new);
  }
}
