package io.agentmemory.consolidation.dao;

import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes new memories. An id that is taken, by whichever project, leaves the row out instead of
 * failing, so that the transaction goes on and the caller can be told which row it was.
 */
final class MemoryInserts {
  /**
   * The driver puts the rows of a batch of {@code values} into one statement where {@code
   * reWriteBatchedInserts} says so, and then counts none of them: hence {@code select}.
   */
  private static final String INSERT =
      """
      insert /* consolidation ingest.insert */ into {memories} as m (
        id, project_id, content, memory_type, abstraction_level, pattern_type, confidence_score,
        source_memory_ids, embedding, tags, consolidation_method, created_at, updated_at,
        consolidated_at, source_count, reuse_count)
      select
        :id, :project, :content, :type, :level, :pattern, :confidence,
        :sources, cast(cast(:embedding as float4[]) as {vector}), :tags, :method,
        coalesce(:createdAt, now()), coalesce(:updatedAt, now()),
        coalesce(:consolidatedAt, now()), :sourceCount, :reuseCount
      on conflict (id) do nothing""";

  private static final String INSERT_ONE =
      INSERT + " returning created_at, updated_at, consolidated_at";

  /** So many rows are sent before the server's answers are read. */
  private static final int BATCH = 500;

  private MemoryInserts() {}

  /** Inserts one memory and returns it as it is in the database. */
  static ConsolidatedMemory insert(MemorySession session, NewMemory memory) throws SQLException {
    String id = memory.id() == null ? Ids.next() : memory.id();
    try (Call call = session.prepare(INSERT_ONE)) {
      bind(call, id, memory);
      ResultSet times = call.query();
      if (!times.next()) {
        throw new DuplicateIdException("memory", id);
      }
      return new ConsolidatedMemory(
          id,
          memory.projectId(),
          memory.content(),
          memory.type(),
          memory.abstractionLevel(),
          memory.patternType(),
          memory.confidence(),
          memory.sourceMemoryIds(),
          memory.embedding(),
          memory.tags(),
          memory.consolidationMethod(),
          MemoryRow.time(times, 1),
          MemoryRow.time(times, 2),
          MemoryRow.time(times, 3),
          memory.sourceMemoryIds().size(),
          memory.reuseCount());
    } catch (SQLException e) {
      throw named(e, "memory", id);
    }
  }

  /** Inserts all memories or, by an exception that names the row, none. In a transaction. */
  static List<String> insertAll(MemorySession session, List<NewMemory> memories)
      throws SQLException {
    List<String> ids = ids(memories);
    Connection connection = session.connection();
    Savepoint start = connection.setSavepoint();
    int sent = 0;
    try (Call call = session.prepare(INSERT)) {
      while (sent < ids.size()) {
        sent += insertBatch(call, ids, memories, sent);
      }
    } catch (BatchUpdateException e) {
      connection.rollback(start);
      throw culprit(session, ids, memories, sent, start, e);
    } catch (DuplicateIdException e) {
      connection.rollback(start);
      throw e;
    }
    return ids;
  }

  private static int insertBatch(Call call, List<String> ids, List<NewMemory> memories, int from)
      throws SQLException {
    int to = Math.min(ids.size(), from + BATCH);
    for (int row = from; row < to; row++) {
      bind(call, ids.get(row), memories.get(row));
      call.addToBatch();
    }
    int[] counts = call.runBatch();
    for (int i = 0; i < counts.length; i++) {
      if (counts[i] == 0) {
        throw new DuplicateIdException("memory number " + (from + i + 1), ids.get(from + i));
      }
    }
    return to - from;
  }

  /** A batch does not say at which row it failed. Its rows, sent one by one, do. */
  private static SQLException culprit(
      MemorySession session,
      List<String> ids,
      List<NewMemory> memories,
      int from,
      Savepoint start,
      BatchUpdateException failure)
      throws SQLException {
    int row = from;
    try (Call call = session.prepare(INSERT)) {
      for (; row < Math.min(ids.size(), from + BATCH); row++) {
        bind(call, ids.get(row), memories.get(row));
        call.update();
      }
    } catch (SQLException e) {
      session.connection().rollback(start);
      return named(e, "memory number " + (row + 1), ids.get(row));
    }
    session.connection().rollback(start);
    return failure;
  }

  /** The exception for content that does not fit, or the SQL exception with the row's name. */
  private static SQLException named(SQLException e, String what, String id) {
    if (e instanceof Deadline.Expired) {
      return e;
    }
    if (ContentTooLongException.causes(e)) {
      throw new ContentTooLongException(what, id, e);
    }
    return new SQLException(
        what + " id " + Checks.quoted(id) + ": " + Failures.message(e), e.getSQLState(), e);
  }

  private static List<String> ids(List<NewMemory> memories) {
    List<String> ids = new ArrayList<>(memories.size());
    Map<String, Integer> rows = new HashMap<>(memories.size() * 2);
    for (int row = 0; row < memories.size(); row++) {
      String given = memories.get(row).id();
      String id = given == null ? Ids.next() : given;
      Integer other = rows.putIfAbsent(id, row);
      if (other != null) {
        throw new InvalidInputException(
            "Memories number %d and %d have the same id, %s: give each its own"
                .formatted(other + 1, row + 1, Checks.quoted(id)));
      }
      ids.add(id);
    }
    return ids;
  }

  private static void bind(Call call, String id, NewMemory memory) throws SQLException {
    call.text("id", id)
        .text("project", memory.projectId())
        .text("content", memory.content())
        .text("type", memory.type().value())
        .integer("level", memory.abstractionLevel().level())
        .text("pattern", memory.patternType())
        .number("confidence", memory.confidence())
        .texts("sources", memory.sourceMemoryIds())
        .vector("embedding", memory.embedding())
        .texts("tags", memory.tags())
        .text("method", memory.consolidationMethod())
        .time("createdAt", memory.createdAt())
        .time("updatedAt", memory.updatedAt())
        .time("consolidatedAt", memory.consolidatedAt())
        .integer("sourceCount", memory.sourceMemoryIds().size())
        .integer("reuseCount", memory.reuseCount());
  }
}
