package io.agentmemory.consolidation.schema;

import java.time.Duration;

/**
 * How long to wait for others.
 *
 * @param deadline for everything together
 * @param lockTimeout for one lock on a table at a time: as long as others may queue behind us
 */
record Waiting(Duration deadline, Duration lockTimeout) {
  private static final Duration LONGEST = Duration.ofMillis(Integer.MAX_VALUE);
  static final Waiting DEFAULT = new Waiting(Duration.ofMinutes(5), Duration.ofSeconds(2));

  Waiting {
    if (deadline.isNegative()) {
      throw new IllegalArgumentException("The deadline must not be negative: " + deadline);
    }
    if (lockTimeout.compareTo(Duration.ofMillis(1)) < 0 || lockTimeout.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException(
          "The lock timeout must be at least a millisecond, and fit 31 bits of them: "
              + lockTimeout);
    }
  }

  /** When to give up, by {@link System#nanoTime}; a deadline of centuries is one of a century. */
  long end() {
    Duration century = Duration.ofDays(36_500);
    return System.nanoTime() + (deadline.compareTo(century) > 0 ? century : deadline).toNanos();
  }

  /** Whether the moment that {@link #end} gave has come. */
  static boolean isOver(long end) {
    return System.nanoTime() - end >= 0;
  }
}
