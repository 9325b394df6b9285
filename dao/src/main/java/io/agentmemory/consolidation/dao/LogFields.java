package io.agentmemory.consolidation.dao;

import org.jspecify.annotations.Nullable;
import org.slf4j.spi.LoggingEventBuilder;

/** Fields of what is logged that are not always there. */
final class LogFields {
  private LogFields() {}

  /** Adds a field, unless its value is null. */
  static LoggingEventBuilder add(LoggingEventBuilder event, String key, @Nullable Object value) {
    return value == null ? event : event.addKeyValue(key, value);
  }

  /** Adds a cause, and its SQLSTATE where it has one. */
  static LoggingEventBuilder cause(LoggingEventBuilder event, Throwable failure) {
    return add(event, "sqlState", Failures.sqlState(failure)).setCause(failure);
  }
}
