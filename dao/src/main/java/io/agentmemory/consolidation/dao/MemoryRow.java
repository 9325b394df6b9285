package io.agentmemory.consolidation.dao;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads a memory from the columns of one row, by position and without reflection. */
final class MemoryRow {
  /** What is selected of the table {@code m}, save for the project, which the caller knows. */
  static final String COLUMNS =
      """
      m.id, m.content, m.memory_type, m.abstraction_level, m.pattern_type, m.confidence_score,
      pg_catalog.array_send(m.source_memory_ids), pg_catalog.array_send(m.tags),
      m.consolidation_method,
      pg_catalog.timestamptz_send(m.created_at), pg_catalog.timestamptz_send(m.updated_at),
      pg_catalog.timestamptz_send(m.consolidated_at), m.source_count, m.reuse_count""";

  /** The same with the embedding in binary, whatever the format of the result. */
  static final String COLUMNS_AND_EMBEDDING = COLUMNS + ", {vectorSend}(m.embedding)";

  private static final int COUNT = 14;

  /** What an array starts with, and what it says of each dimension. */
  private static final int ARRAY_HEADER = 3 * Integer.BYTES;

  private static final int ARRAY_DIMENSION = 2 * Integer.BYTES;

  private MemoryRow() {}

  static String columns(boolean withEmbedding) {
    return withEmbedding ? COLUMNS_AND_EMBEDDING : COLUMNS;
  }

  /** As many nulls, the first of them named {@code id}. */
  static String nulls(boolean withEmbedding) {
    return "null as id" + ", null".repeat(withEmbedding ? COUNT : COUNT - 1);
  }

  /** Reads the columns that start at a position; {@code vectors} is null without embedding. */
  static ConsolidatedMemory read(
      ResultSet row, int first, String projectId, @Nullable VectorFormat vectors)
      throws SQLException {
    int at = first;
    return new ConsolidatedMemory(
        row.getString(at++),
        projectId,
        row.getString(at++),
        MemoryType.of(row.getString(at++)),
        AbstractionLevel.of(row.getInt(at++)),
        row.getString(at++),
        number(row, at++),
        texts(row.getBytes(at++)),
        vectors == null ? null : vectors.read(row.getBytes(first + COUNT)),
        texts(row.getBytes(at++)),
        row.getString(at++),
        microseconds(row, at++),
        microseconds(row, at++),
        microseconds(row, at++),
        row.getInt(at++),
        row.getInt(at));
  }

  private static @Nullable Double number(ResultSet row, int at) throws SQLException {
    double value = row.getDouble(at);
    return row.wasNull() ? null : value;
  }

  static Instant time(ResultSet row, int at) throws SQLException {
    return row.getObject(at, OffsetDateTime.class).toInstant();
  }

  /** A time that was sent in binary: the driver's own way allocates ten times as much. */
  private static Instant microseconds(ResultSet row, int at) throws SQLException {
    return TimeKey.ofMicroseconds(ByteBuffer.wrap(row.getBytes(at)).getLong());
  }

  /**
   * The texts of an array that was sent in binary, for the same reason: null is an empty array, and
   * elements that are null, of length -1, are left out.
   */
  private static List<String> texts(byte @Nullable [] sent) {
    if (sent == null) {
      return List.of();
    }
    ByteBuffer bytes = ByteBuffer.wrap(sent);
    bytes.position(ARRAY_HEADER + bytes.getInt() * ARRAY_DIMENSION);
    if (!bytes.hasRemaining()) {
      return List.of();
    }
    List<String> texts = new ArrayList<>();
    while (bytes.hasRemaining()) {
      int length = bytes.getInt();
      if (length >= 0) {
        texts.add(new String(sent, bytes.position(), length, StandardCharsets.UTF_8));
        bytes.position(bytes.position() + length);
      }
    }
    return texts;
  }
}
