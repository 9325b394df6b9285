package io.agentmemory.consolidation.dao;

import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What {@link RecallProbe} measured in projects of one size with one effort.
 *
 * @param size the projects' size
 * @param projects how many of them
 * @param searches how many searches
 * @param effort the effort; null for what a search takes by default
 * @param recall the share of the truly nearest memories that were found, from 0 to 1; 1 where there
 *     was nothing to find
 * @param rows how many rows a search returned in the mean
 * @param expectedRows how many rows there were to return in the mean
 * @param p50 the time that half of the searches took at most, as the application sees it
 * @param p95 the time that 95 of 100 took at most
 * @param exactP50 the same of searches that compare every memory
 * @param exactP95 the same of searches that compare every memory
 * @param strategies how the searches went
 */
public record RecallRow(
    ProjectSize size,
    int projects,
    int searches,
    @Nullable SearchEffort effort,
    double recall,
    double rows,
    double expectedRows,
    Duration p50,
    Duration p95,
    Duration exactP50,
    Duration exactP95,
    Set<SearchStrategy> strategies) {

  /**
   * Checks that no part is missing and keeps an unmodifiable copy of the strategies.
   *
   * @param size the projects' size
   * @param projects how many of them
   * @param searches how many searches
   * @param effort the effort; null for the default
   * @param recall the share of the truly nearest memories that were found
   * @param rows how many rows a search returned in the mean
   * @param expectedRows how many rows there were to return in the mean
   * @param p50 the time that half of the searches took at most
   * @param p95 the time that 95 of 100 took at most
   * @param exactP50 the same of searches that compare every memory
   * @param exactP95 the same of searches that compare every memory
   * @param strategies how the searches went
   */
  public RecallRow {
    Checks.notNull("size", size);
    Checks.notNull("p50", p50);
    Checks.notNull("p95", p95);
    Checks.notNull("exactP50", exactP50);
    Checks.notNull("exactP95", exactP95);
    strategies = Set.copyOf(strategies);
  }

  /**
   * How the effort is called in tables.
   *
   * @return {@code default}, or the effort's number of candidates
   */
  public String effortLabel() {
    return effort == null ? "default" : String.valueOf(effort.candidates());
  }
}
