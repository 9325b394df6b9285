package io.agentmemory.consolidation.dao;

import java.util.List;

/**
 * What became of jobs that were to be completed together.
 *
 * @param completed those that are completed now
 * @param lost the leases of those that were no longer the caller's; they are as they were
 */
public record JobCompletions(List<ConsolidationJob> completed, List<JobLease> lost) {

  /**
   * Copies the lists.
   *
   * @param completed those that are completed now
   * @param lost the leases of those that were no longer the caller's
   */
  public JobCompletions {
    completed = List.copyOf(completed);
    lost = List.copyOf(lost);
  }
}
