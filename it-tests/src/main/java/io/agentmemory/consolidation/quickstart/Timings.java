package io.agentmemory.consolidation.quickstart;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** How long each step took, in the order of their first start. */
final class Timings {
  private final Map<String, Duration> steps = new LinkedHashMap<>();

  /** What a step does, and may fail with. */
  interface Step<T, E extends Exception> {
    T run() throws E;
  }

  <T, E extends Exception> T time(String step, Step<T, E> work) throws E {
    long start = System.nanoTime();
    try {
      return work.run();
    } finally {
      steps.merge(step, Duration.ofNanos(System.nanoTime() - start), Duration::plus);
    }
  }

  Map<String, Duration> steps() {
    return steps;
  }
}
