package io.agentmemory.consolidation.dao;

import java.math.BigDecimal;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import org.jspecify.annotations.Nullable;

/**
 * How jobs stand, all of it as of one moment.
 *
 * @param pending how many wait, also those whose time has not come
 * @param running how many a worker has
 * @param completed how many are done
 * @param failed how many were given up
 * @param cancelled how many were called off
 * @param firstDue from when on the first of the pending can be claimed; null if none is pending
 * @param averageDuration how long the completed took in the mean; null if there are none
 * @param longestDuration how long the longest of the completed took; null if there are none
 */
public record JobStatistics(
    long pending,
    long running,
    long completed,
    long failed,
    long cancelled,
    @Nullable Instant firstDue,
    @Nullable Duration averageDuration,
    @Nullable Duration longestDuration) {

  static JobStatistics read(ResultSet row) throws SQLException {
    OffsetDateTime due = row.getObject(6, OffsetDateTime.class);
    return new JobStatistics(
        row.getLong(1),
        row.getLong(2),
        row.getLong(3),
        row.getLong(4),
        row.getLong(5),
        due == null ? null : due.toInstant(),
        seconds(row.getBigDecimal(7)),
        seconds(row.getBigDecimal(8)));
  }

  private static @Nullable Duration seconds(@Nullable BigDecimal seconds) {
    return seconds == null ? null : Duration.ofMillis(seconds.movePointRight(3).longValue());
  }
}
