package io.agentmemory.consolidation.schema;

import java.time.Duration;

/**
 * How long to wait for others.
 *
 * @param deadline for everything together
 * @param lockTimeout for one lock on a table at a time: as long as others may queue behind us
 */
record Waiting(Duration deadline, Duration lockTimeout) {
  static final Waiting DEFAULT = new Waiting(Duration.ofMinutes(5), Duration.ofSeconds(2));

  Waiting {
    if (deadline.isNegative()) {
      throw new IllegalArgumentException("The deadline must not be negative: " + deadline);
    }
    if (lockTimeout.toMillis() < 1 || lockTimeout.toMillis() > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "The lock timeout must be at least a millisecond, and fit 31 bits of them: "
              + lockTimeout);
    }
  }
}
