package io.agentmemory.consolidation.schema;

import java.time.Duration;

/** The time since it was started. */
final class Stopwatch {
  private final long began = System.nanoTime();

  private Stopwatch() {}

  static Stopwatch start() {
    return new Stopwatch();
  }

  Duration elapsed() {
    return Duration.ofNanos(System.nanoTime() - began);
  }

  long millis() {
    return elapsed().toMillis();
  }
}
