package io.agentmemory.consolidation.schema;

import java.util.concurrent.ThreadLocalRandom;

/** The time between two tries: longer with each, up to a second, and never the same. */
final class Pause {
  private static final long MAX_MILLIS = 1_000;

  private Pause() {}

  /** Sleeps, but not beyond a moment of {@link System#nanoTime}. */
  static void after(int attempt, long end) {
    long most = Math.min(MAX_MILLIS, 50L << Math.min(attempt, 5));
    long millis = ThreadLocalRandom.current().nextLong(most / 2, most + 1);
    long left = Math.max(0, (end - System.nanoTime()) / 1_000_000);
    try {
      Thread.sleep(Math.min(millis, left + 1));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SchemaException("Interrupted while waiting for others", e);
    }
  }
}
