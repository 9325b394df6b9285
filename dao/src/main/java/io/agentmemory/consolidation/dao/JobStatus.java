package io.agentmemory.consolidation.dao;

import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Where a job is on its way.
 *
 * <p>{@code PENDING} becomes {@code RUNNING} by a claim. {@code RUNNING} becomes {@code COMPLETED}
 * or {@code FAILED}, or {@code PENDING} again when a try fails and another is left, or when its
 * worker hands it back. Both become {@code CANCELLED} by a cancel. Nothing else happens to a job.
 */
public enum JobStatus {
  /** Waits to be claimed, for the first time or again. */
  PENDING("pending"),
  /** Claimed by a worker. */
  RUNNING("running"),
  /** Done. */
  COMPLETED("completed"),
  /** Given up after its last try. */
  FAILED("failed"),
  /** Called off. */
  CANCELLED("cancelled"),
  /** A status that this version does not know, because a newer one wrote it. Only ever read. */
  UNKNOWN("unknown");

  private static final Map<String, JobStatus> BY_VALUE =
      Stream.of(values())
          .filter(status -> status != UNKNOWN)
          .collect(Collectors.toUnmodifiableMap(JobStatus::value, Function.identity()));

  private final String value;

  JobStatus(String value) {
    this.value = value;
  }

  /**
   * The status as it is written in the database.
   *
   * @return the value of the column {@code status}
   */
  public String value() {
    return value;
  }

  /**
   * The status that the database's value stands for.
   *
   * @param value the value of the column {@code status}
   * @return the status, {@link #UNKNOWN} for a value that this version does not know
   */
  public static JobStatus of(String value) {
    return BY_VALUE.getOrDefault(Checks.notNull("value", value), UNKNOWN);
  }
}
