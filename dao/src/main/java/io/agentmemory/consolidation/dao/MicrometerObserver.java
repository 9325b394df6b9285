package io.agentmemory.consolidation.dao;

import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.Locale;

/**
 * Counts and times into a registry of Micrometer ({@code io.micrometer:micrometer-core}, which the
 * application brings along; without it all but this class works). Thread-safe.
 *
 * <ul>
 *   <li>{@code consolidation.dao.calls}: a timer, by {@code operation}, {@code outcome} ({@link
 *       CallResult} in lower case) and {@code strategy} ({@link SearchStrategy} in lower case,
 *       {@code none} for what searches no vectors)
 *   <li>{@code consolidation.dao.rows}: a summary of the rows of a call, by {@code operation}
 *   <li>{@code consolidation.search.candidates}: a summary of what the index collected for a
 *       search, by {@code operation} and {@code strategy}
 *   <li>{@code consolidation.jobs}: a counter, by {@code event} ({@link JobEvent} in lower case)
 * </ul>
 *
 * <p>No tag names a project: there may be too many.
 */
public final class MicrometerObserver implements ConsolidationObserver {
  private final MeterRegistry registry;

  private MicrometerObserver(MeterRegistry registry) {
    this.registry = registry;
  }

  /**
   * Counts and times into a registry.
   *
   * @param registry the application's
   * @return an observer for {@link Consolidation#observedBy}
   */
  public static MicrometerObserver of(MeterRegistry registry) {
    return new MicrometerObserver(Checks.notNull("registry", registry));
  }

  @Override
  public void called(ObservedCall call) {
    SearchStrategy searched = call.strategy();
    String strategy = tag(searched == null ? SearchStrategy.NONE : searched);
    Timer.builder("consolidation.dao.calls")
        .description("Calls to the database")
        .tag("operation", call.operation())
        .tag("outcome", tag(call.result()))
        .tag("strategy", strategy)
        .register(registry)
        .record(call.elapsed());
    if (call.rows() != null) {
      DistributionSummary.builder("consolidation.dao.rows")
          .description("Rows that a call gave or wrote")
          .baseUnit("rows")
          .tag("operation", call.operation())
          .register(registry)
          .record(call.rows());
    }
    if (call.candidates() != null) {
      DistributionSummary.builder("consolidation.search.candidates")
          .description("Candidates that the index collected for a search at a time")
          .baseUnit("rows")
          .tag("operation", call.operation())
          .tag("strategy", strategy)
          .register(registry)
          .record(call.candidates());
    }
  }

  @Override
  public void jobs(JobEvent event, int count) {
    registry.counter("consolidation.jobs", "event", tag(event)).increment(count);
  }

  private static String tag(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
