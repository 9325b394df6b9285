package io.agentmemory.consolidation.dao;

import java.time.Duration;

/** How long to wait before something is tried again. */
final class Backoff {
  private Backoff() {}

  /** The first wait, doubled with each failure before, up to the longest. */
  static Duration after(int failuresBefore, Duration first, Duration longest) {
    Duration wait = first;
    for (int i = 0; i < failuresBefore && wait.compareTo(longest) < 0; i++) {
      wait = wait.multipliedBy(2);
    }
    return wait.compareTo(longest) < 0 ? wait : longest;
  }
}
