package io.agentmemory.consolidation.dao;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link JobWorker} works. Immutable; each {@code with} gives another value.
 *
 * @param projectId the one project whose jobs it does; null: those of all projects
 * @param concurrency how many jobs at a time, from 1 to 10,000
 * @param pollInterval how long it waits in the mean, when there was no job to claim, before it asks
 *     again
 * @param leaseTime how long a job is left to a worker that gives no sign of life, at least a
 *     second; heartbeats go out four times as often. Workers that share jobs must agree on it
 * @param firstBackoff how long in the mean until the first retry; each further one takes twice as
 *     long
 * @param longestBackoff the longest of these times
 */
public record JobWorkerOptions(
    @Nullable String projectId,
    int concurrency,
    Duration pollInterval,
    Duration leaseTime,
    Duration firstBackoff,
    Duration longestBackoff) {
  private static final Duration LONGEST = Duration.ofDays(365);

  /**
   * Checks the parts.
   *
   * @param projectId the one project; null: all
   * @param concurrency how many jobs at a time
   * @param pollInterval how long it waits when there was no job
   * @param leaseTime how long a job is left to a silent worker
   * @param firstBackoff how long until the first retry
   * @param longestBackoff the longest time until a retry
   * @throws InvalidInputException if a number or time is out of range
   */
  public JobWorkerOptions {
    Checks.idOrNull("projectId", projectId);
    Checks.between("concurrency", concurrency, 1, 10_000);
    time("pollInterval", pollInterval);
    time("leaseTime", leaseTime);
    time("firstBackoff", firstBackoff);
    time("longestBackoff", longestBackoff);
    if (leaseTime.compareTo(Duration.ofSeconds(1)) < 0) {
      throw new InvalidInputException("leaseTime must be at least a second, was " + leaseTime);
    }
  }

  private static void time(String name, Duration time) {
    if (Checks.positive(name, time).compareTo(LONGEST) > 0) {
      throw new InvalidInputException(
          "%s must be at most %,d days, was %s".formatted(name, LONGEST.toDays(), time));
    }
  }

  /**
   * All projects, 4 jobs at a time, a poll each second, a lease of two minutes, retries after 10
   * seconds to an hour.
   *
   * @return the default settings
   */
  public static JobWorkerOptions defaults() {
    return new JobWorkerOptions(
        null,
        4,
        Duration.ofSeconds(1),
        Duration.ofMinutes(2),
        Duration.ofSeconds(10),
        Duration.ofHours(1));
  }

  /**
   * The same for the jobs of one project.
   *
   * @param project the project; null: all
   * @return another value
   */
  public JobWorkerOptions withProject(@Nullable String project) {
    return new JobWorkerOptions(
        project, concurrency, pollInterval, leaseTime, firstBackoff, longestBackoff);
  }

  /**
   * The same with another number of jobs at a time.
   *
   * @param jobs from 1 to 10,000
   * @return another value
   */
  public JobWorkerOptions withConcurrency(int jobs) {
    return new JobWorkerOptions(
        projectId, jobs, pollInterval, leaseTime, firstBackoff, longestBackoff);
  }

  /**
   * The same with another time between polls.
   *
   * @param time more than nothing
   * @return another value
   */
  public JobWorkerOptions withPollInterval(Duration time) {
    return new JobWorkerOptions(
        projectId, concurrency, time, leaseTime, firstBackoff, longestBackoff);
  }

  /**
   * The same with another lease.
   *
   * @param time at least a second
   * @return another value
   */
  public JobWorkerOptions withLeaseTime(Duration time) {
    return new JobWorkerOptions(
        projectId, concurrency, pollInterval, time, firstBackoff, longestBackoff);
  }

  /**
   * The same with other times until retries.
   *
   * @param first until the first retry
   * @param longest the longest
   * @return another value
   */
  public JobWorkerOptions withBackoff(Duration first, Duration longest) {
    return new JobWorkerOptions(projectId, concurrency, pollInterval, leaseTime, first, longest);
  }
}
