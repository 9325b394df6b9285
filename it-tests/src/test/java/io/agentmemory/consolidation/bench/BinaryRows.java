package io.agentmemory.consolidation.bench;

import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;

/** Rows of the table of memories in PostgreSQL's binary COPY format. */
final class BinaryRows {
  /** Its columns, without the generated one and those that stay null. */
  static final String COLUMNS =
      "id, project_id, content, memory_type, abstraction_level, source_memory_ids, embedding, tags,"
          + " created_at, updated_at, consolidated_at, source_count, reuse_count";

  private static final int FIELDS = 13;
  private static final byte[] SIGNATURE =
      "PGCOPY\n\377\r\n\0".getBytes(StandardCharsets.ISO_8859_1);
  private static final int VARCHAR_OID = 1043;
  private static final Instant EPOCH = Instant.parse("2000-01-01T00:00:00Z");

  private BinaryRows() {}

  /** Writes the rows from one number to another, which is left out. */
  static void write(DataSet data, int from, int to, OutputStream stream) throws IOException {
    DataOutputStream out = new DataOutputStream(new BufferedOutputStream(stream, 1 << 16));
    out.write(SIGNATURE);
    out.writeInt(0);
    out.writeInt(0);
    long now = ChronoUnit.MICROS.between(EPOCH, Instant.now());
    for (int row = from; row < to; row++) {
      write(data, row, now, out);
    }
    out.writeShort(-1);
    out.flush();
  }

  private static void write(DataSet data, int row, long now, DataOutputStream out)
      throws IOException {
    out.writeShort(FIELDS);
    text(DataSet.id(row).toString(), out);
    text(DataSet.projectId(data.projectOf(row)), out);
    text(data.content(row), out);
    text(data.type(row).name().toLowerCase(Locale.ROOT), out);
    integer(1, out);
    noTexts(out);
    vector(data.vector(row), out);
    noTexts(out);
    for (int time = 0; time < 3; time++) {
      out.writeInt(Long.BYTES);
      out.writeLong(now);
    }
    integer(0, out);
    integer(0, out);
  }

  private static void text(String text, DataOutputStream out) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  private static void integer(int number, DataOutputStream out) throws IOException {
    out.writeInt(Integer.BYTES);
    out.writeInt(number);
  }

  private static void noTexts(DataOutputStream out) throws IOException {
    out.writeInt(3 * Integer.BYTES);
    out.writeInt(0);
    out.writeInt(0);
    out.writeInt(VARCHAR_OID);
  }

  private static void vector(float[] vector, DataOutputStream out) throws IOException {
    out.writeInt(2 * Short.BYTES + Float.BYTES * vector.length);
    out.writeShort(vector.length);
    out.writeShort(0);
    for (float value : vector) {
      out.writeFloat(value);
    }
  }
}
