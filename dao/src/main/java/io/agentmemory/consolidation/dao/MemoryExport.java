package io.agentmemory.consolidation.dao;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/** Reads all memories of a project by a cursor, so that only a few are in memory at a time. */
final class MemoryExport {
  private static final String EXPORT =
      """
      select /* consolidation memories.export */
      {columns} from {memories} as m where m.project_id = :project"""
          .replace("{columns}", MemoryRow.COLUMNS_AND_EMBEDDING);

  /** So many rows come with one answer. */
  private static final int FETCH = 500;

  private MemoryExport() {}

  /** To be called in a transaction, without which the driver reads everything at once. */
  static <T extends @Nullable Object> T run(
      MemorySession session, String projectId, Function<Stream<ConsolidatedMemory>, T> reader)
      throws SQLException {
    String sql = session.statements().get(EXPORT).text();
    try (PreparedStatement statement = session.connection().prepareStatement(sql)) {
      Deadline.apply(session.deadline(), statement);
      statement.setFetchSize(FETCH);
      statement.setString(1, projectId);
      Rows rows = new Rows(statement.executeQuery(), projectId, session);
      try (Stream<ConsolidatedMemory> stream =
          StreamSupport.stream(
              Spliterators.spliteratorUnknownSize(
                  rows, Spliterator.NONNULL | Spliterator.ORDERED | Spliterator.IMMUTABLE),
              false)) {
        return reader.apply(stream);
      } finally {
        rows.over = true;
      }
    }
  }

  /** The rows of a result, one ahead. Fetching more of them is no statement of its own. */
  private static final class Rows implements Iterator<ConsolidatedMemory> {
    private final ResultSet result;
    private final String projectId;
    private final MemorySession session;
    private @Nullable ConsolidatedMemory ahead;
    private boolean over;

    Rows(ResultSet result, String projectId, MemorySession session) {
      this.result = result;
      this.projectId = projectId;
      this.session = session;
    }

    @Override
    public boolean hasNext() {
      if (over) {
        return false;
      }
      try {
        session.checkDeadline();
        if (ahead == null && result.next()) {
          ahead = MemoryRow.read(result, 1, projectId, session.format());
        }
      } catch (SQLException e) {
        throw Failures.translate("memories.export", e, false);
      }
      over = ahead == null;
      return !over;
    }

    @Override
    public ConsolidatedMemory next() {
      if (!hasNext() || ahead == null) {
        throw new NoSuchElementException("no further memory");
      }
      ConsolidatedMemory next = ahead;
      ahead = null;
      return next;
    }
  }
}
