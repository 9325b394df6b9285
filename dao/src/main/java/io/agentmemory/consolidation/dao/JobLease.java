package io.agentmemory.consolidation.dao;

import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * A worker's hold on a job that it claimed. Every later write must hold it: once the job was
 * cancelled, finished or claimed again, the lease is lost for good, and the write fails with {@link
 * LeaseLostException}.
 *
 * @param projectId the job's project
 * @param jobId the job
 * @param startedAt when it was claimed, by the database's clock; each claim of a job has another
 */
public record JobLease(String projectId, String jobId, Instant startedAt) {

  /**
   * Checks the parts.
   *
   * @param projectId the job's project
   * @param jobId the job
   * @param startedAt when it was claimed
   * @throws InvalidInputException if a part is no such thing
   */
  public JobLease {
    Checks.id("projectId", projectId);
    Checks.id("jobId", jobId);
    startedAt = Checks.time("startedAt", startedAt).truncatedTo(ChronoUnit.MICROS);
  }
}
