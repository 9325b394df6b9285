package io.agentmemory.consolidation.dao;

import java.sql.Array;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads a job from the columns that {@link JobSql} returns. */
final class JobRow {
  /** The order of jobs that are claimed together. */
  static final Comparator<ConsolidationJob> OLDEST_FIRST =
      Comparator.comparing(ConsolidationJob::createdAt).thenComparing(ConsolidationJob::id);

  private JobRow() {}

  static ConsolidationJob read(ResultSet row) throws SQLException {
    int seconds = row.getInt(10);
    Duration duration = row.wasNull() ? null : Duration.ofSeconds(seconds);
    return new ConsolidationJob(
        row.getString(1),
        row.getString(2),
        JobStatus.of(row.getString(3)),
        TriggerType.of(row.getString(4)),
        objectOrEmpty(row.getString(5)),
        texts(row.getArray(6)),
        objectOrEmpty(row.getString(7)),
        time(row, 8),
        time(row, 9),
        duration,
        row.getString(11),
        row.getInt(12),
        row.getInt(13),
        row.getObject(14, OffsetDateTime.class).toInstant(),
        row.getString(15));
  }

  /** All jobs that a statement gives. */
  static List<ConsolidationJob> all(
      Connection connection, @Nullable Deadline deadline, Sql sql, Call.Parameters parameters)
      throws SQLException {
    List<ConsolidationJob> jobs = new ArrayList<>();
    try (Call call = Call.prepare(connection, deadline, sql)) {
      parameters.set(call);
      ResultSet rows = call.query();
      while (rows.next()) {
        jobs.add(read(rows));
      }
    }
    return jobs;
  }

  /** What claims of all projects have behind the job. */
  static String turn(ResultSet row) throws SQLException {
    return row.getString(16);
  }

  private static String objectOrEmpty(@Nullable String json) {
    return json == null ? "{}" : json;
  }

  private static @Nullable Instant time(ResultSet row, int column) throws SQLException {
    OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
    return time == null ? null : time.toInstant();
  }

  /** An array's texts; null is an empty array, and elements that are null are left out. */
  private static List<String> texts(@Nullable Array array) throws SQLException {
    List<String> texts = new ArrayList<>();
    if (array != null) {
      for (String text : (@Nullable String[]) array.getArray()) {
        if (text != null) {
          texts.add(text);
        }
      }
    }
    return texts;
  }
}
