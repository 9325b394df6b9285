package io.agentmemory.consolidation.dao;

import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * Logs calls that take long, as warnings of the logger {@code
 * io.agentmemory.consolidation.dao.SlowCallLog} with the fields {@code operation}, {@code
 * elapsedMillis}, {@code result}, and {@code sqlState}, {@code rows}, {@code strategy}, {@code
 * candidates} where there are any, and {@code project} where it is of one. Immutable and
 * thread-safe.
 */
public final class SlowCallLog implements ConsolidationObserver {
  private static final Logger LOG = LoggerFactory.getLogger(SlowCallLog.class);

  private final Duration threshold;

  private SlowCallLog(Duration threshold) {
    this.threshold = threshold;
  }

  /**
   * Logs calls that take so long or longer.
   *
   * @param threshold how long, more than nothing
   * @return an observer for {@link Consolidation#observedBy}
   */
  public static SlowCallLog from(Duration threshold) {
    return new SlowCallLog(Checks.positive("threshold", threshold));
  }

  @Override
  public void called(ObservedCall call) {
    if (call.elapsed().compareTo(threshold) < 0) {
      return;
    }
    LoggingEventBuilder event = LOG.atWarn().addKeyValue("operation", call.operation());
    event = LogFields.add(event, "project", call.project());
    event =
        event
            .addKeyValue("elapsedMillis", call.elapsed().toMillis())
            .addKeyValue("result", call.result());
    event = LogFields.add(event, "sqlState", call.sqlState());
    event = LogFields.add(event, "rows", call.rows());
    event = LogFields.add(event, "strategy", call.strategy());
    event = LogFields.add(event, "candidates", call.candidates());
    event.log("A call took long");
  }
}
