package io.agentmemory.consolidation.dao;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.postgresql.copy.CopyIn;
import org.postgresql.copy.CopyManager;
import org.postgresql.core.BaseConnection;

/**
 * Writes rows in PostgreSQL's binary COPY format, through one buffer. A write waits while the
 * server takes in what was sent before. Not thread-safe.
 */
final class CopyStream implements AutoCloseable {
  private static final int SIZE = 1 << 16;
  private static final int NULL = -1;
  private static final int VARCHAR_OID = 1043;
  private static final int ARRAY_HEADER = 5 * Integer.BYTES;
  private static final int EMPTY_ARRAY = 3 * Integer.BYTES;
  private static final byte[] SIGNATURE =
      "PGCOPY\n\u00ff\r\n\0".getBytes(StandardCharsets.ISO_8859_1);

  /** Seconds from 1970 to 2000, where PostgreSQL's time begins. */
  private static final long EPOCH = 946_684_800;

  private final CopyIn copy;
  private final ByteBuffer buffer = ByteBuffer.allocate(SIZE);
  private final Flush onFlush;

  private CopyStream(CopyIn copy, Flush onFlush) {
    this.copy = copy;
    this.onFlush = onFlush;
  }

  /** Called before a buffer is sent. */
  interface Flush {
    void check() throws SQLException;
  }

  /** Begins a {@code copy … from stdin (format binary)}. */
  static CopyStream begin(Connection connection, String sql, Flush onFlush) throws SQLException {
    CopyIn copy = new CopyManager(connection.unwrap(BaseConnection.class)).copyIn(sql);
    CopyStream stream = new CopyStream(copy, onFlush);
    stream.buffer.put(SIGNATURE).putInt(0).putInt(0);
    return stream;
  }

  void row(int columns) throws SQLException {
    room(Short.BYTES).putShort((short) columns);
  }

  void text(@Nullable String value) throws SQLException {
    if (value == null) {
      room(Integer.BYTES).putInt(NULL);
    } else {
      utf8(value);
    }
  }

  void integer(int value) throws SQLException {
    room(2 * Integer.BYTES).putInt(Integer.BYTES).putInt(value);
  }

  void bigint(long value) throws SQLException {
    room(Integer.BYTES + Long.BYTES).putInt(Long.BYTES).putLong(value);
  }

  void number(@Nullable Double value) throws SQLException {
    room(Integer.BYTES + Double.BYTES);
    if (value == null) {
      buffer.putInt(NULL);
    } else {
      buffer.putInt(Double.BYTES).putDouble(value);
    }
  }

  void time(Instant value) throws SQLException {
    bigint((value.getEpochSecond() - EPOCH) * 1_000_000 + value.getNano() / 1_000);
  }

  void texts(List<String> values) throws SQLException {
    if (values.isEmpty()) {
      room(Integer.BYTES + EMPTY_ARRAY).putInt(EMPTY_ARRAY).putInt(0).putInt(0).putInt(VARCHAR_OID);
      return;
    }
    int length = ARRAY_HEADER;
    for (String value : values) {
      length += Integer.BYTES + utf8Length(value);
    }
    room(Integer.BYTES + ARRAY_HEADER).putInt(length);
    buffer.putInt(1).putInt(0).putInt(VARCHAR_OID).putInt(values.size()).putInt(1);
    for (String value : values) {
      utf8(value);
    }
  }

  void vector(@Nullable Embedding value, VectorFormat format) throws SQLException {
    if (value == null) {
      room(Integer.BYTES).putInt(NULL);
      return;
    }
    int length = format.length(value.dimensions());
    room(Integer.BYTES + length).putInt(length);
    format.write(value, buffer);
  }

  private void utf8(String value) throws SQLException {
    int most = 3 * value.length();
    if (value.length() > SIZE / 4) {
      room(Integer.BYTES).putInt(utf8Length(value));
      chars(value, SIZE / 4);
      return;
    }
    room(Integer.BYTES + most + 1);
    int start = buffer.position();
    buffer.position(start + Integer.BYTES);
    chars(value, value.length());
    buffer.putInt(start, buffer.position() - start - Integer.BYTES);
  }

  /** Writes characters, making room after so many; a pair may be cut, hence one byte more. */
  private void chars(String value, int run) throws SQLException {
    for (int at = 0; at < value.length(); ) {
      int end = Math.min(value.length(), at + run);
      room(3 * (end - at) + 1);
      byte[] bytes = buffer.array();
      int to = buffer.position();
      while (at < end) {
        char c = value.charAt(at++);
        if (c < 0x80) {
          bytes[to++] = (byte) c;
        } else if (c < 0x800) {
          bytes[to++] = (byte) (0xc0 | (c >> 6));
          bytes[to++] = (byte) (0x80 | (c & 0x3f));
        } else if (Character.isHighSurrogate(c)) {
          int codePoint = Character.toCodePoint(c, value.charAt(at++));
          bytes[to++] = (byte) (0xf0 | (codePoint >> 18));
          bytes[to++] = (byte) (0x80 | ((codePoint >> 12) & 0x3f));
          bytes[to++] = (byte) (0x80 | ((codePoint >> 6) & 0x3f));
          bytes[to++] = (byte) (0x80 | (codePoint & 0x3f));
        } else {
          bytes[to++] = (byte) (0xe0 | (c >> 12));
          bytes[to++] = (byte) (0x80 | ((c >> 6) & 0x3f));
          bytes[to++] = (byte) (0x80 | (c & 0x3f));
        }
      }
      buffer.position(to);
    }
  }

  private static int utf8Length(String value) {
    int length = value.length();
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c >= 0x80) {
        length += c < 0x800 || Character.isSurrogate(c) ? 1 : 2;
      }
    }
    return length;
  }

  private ByteBuffer room(int bytes) throws SQLException {
    if (buffer.remaining() < bytes) {
      flush();
    }
    return buffer;
  }

  private void flush() throws SQLException {
    onFlush.check();
    copy.writeToCopy(buffer.array(), 0, buffer.position());
    buffer.clear();
  }

  /** Ends the rows; the server has them all when this returns. */
  long end() throws SQLException {
    room(Short.BYTES).putShort((short) -1);
    flush();
    return copy.endCopy();
  }

  /** Takes back everything unless it was ended. */
  @Override
  public void close() throws SQLException {
    if (copy.isActive()) {
      copy.cancelCopy();
    }
  }
}
