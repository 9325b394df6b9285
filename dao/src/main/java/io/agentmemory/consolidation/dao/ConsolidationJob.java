package io.agentmemory.consolidation.dao;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A job as it is in the database. All times are by the database's clock.
 *
 * @param id what identifies it, unique over all projects
 * @param projectId the project whose memories it consolidates
 * @param status where it is on its way
 * @param trigger what led to it
 * @param scope what is to be consolidated, a JSON object of the application's
 * @param phasesCompleted the phases that are done, over all tries, in the order they were recorded
 * @param metrics what it did so far, a JSON object of the application's
 * @param startedAt when it was last claimed
 * @param completedAt when it was completed, given up or cancelled
 * @param duration how long its last try took, to the second
 * @param errorMessage why the last try that failed did
 * @param retryCount how many tries after the first there were, or are to come next
 * @param maxRetries how many there may be
 * @param createdAt when it was enqueued
 * @param triggeredBy who or what led to it
 */
public record ConsolidationJob(
    String id,
    String projectId,
    JobStatus status,
    TriggerType trigger,
    String scope,
    List<String> phasesCompleted,
    String metrics,
    @Nullable Instant startedAt,
    @Nullable Instant completedAt,
    @Nullable Duration duration,
    @Nullable String errorMessage,
    int retryCount,
    int maxRetries,
    Instant createdAt,
    @Nullable String triggeredBy) {

  /**
   * Checks that there is an id and a status, and keeps an unmodifiable copy of the list.
   *
   * @param id what identifies it
   * @param projectId the project whose memories it consolidates
   * @param status where it is on its way
   * @param trigger what led to it
   * @param scope what is to be consolidated
   * @param phasesCompleted the phases that are done
   * @param metrics what it did so far
   * @param startedAt when it was last claimed
   * @param completedAt when it came to its end
   * @param duration how long its last try took
   * @param errorMessage why the last try that failed did
   * @param retryCount how many tries after the first there were
   * @param maxRetries how many there may be
   * @param createdAt when it was enqueued
   * @param triggeredBy who or what led to it
   */
  public ConsolidationJob {
    Checks.notNull("id", id);
    Checks.notNull("status", status);
    phasesCompleted = List.copyOf(phasesCompleted);
  }

  /**
   * The lease of a job that was claimed, for the writes to come.
   *
   * @return the lease
   * @throws IllegalStateException if the job is not running
   */
  public JobLease lease() {
    if (status != JobStatus.RUNNING || startedAt == null) {
      throw new IllegalStateException(
          "The job %s is %s, and only a running one has a lease: claim it"
              .formatted(Checks.quoted(id), status.value()));
    }
    return new JobLease(projectId, id, startedAt);
  }
}
