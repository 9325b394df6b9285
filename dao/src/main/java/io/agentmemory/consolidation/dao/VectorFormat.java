package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.schema.VectorType;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** How the database holds an embedding: what fits into it, and how its binary form is read. */
enum VectorFormat {
  /** Single precision. */
  VECTOR("vector", Float.BYTES) {
    @Override
    float stored(float value) {
      return value;
    }

    @Override
    float next(ByteBuffer bytes) {
      return bytes.getFloat();
    }

    @Override
    void put(float value, ByteBuffer bytes) {
      bytes.putFloat(value);
    }
  },
  /** Half precision. */
  HALFVEC("halfvec", Short.BYTES) {
    @Override
    float stored(float value) {
      return Half.toFloat(Half.of(value));
    }

    @Override
    float next(ByteBuffer bytes) {
      return Half.toFloat(bytes.getShort());
    }

    @Override
    void put(float value, ByteBuffer bytes) {
      bytes.putShort(Half.of(value));
    }
  };

  /** The number of dimensions and two unused bytes. */
  private static final int HEADER = 2 * Short.BYTES;

  private final String typeName;
  private final int bytesPerNumber;

  VectorFormat(String typeName, int bytesPerNumber) {
    this.typeName = typeName;
    this.bytesPerNumber = bytesPerNumber;
  }

  static VectorFormat of(VectorType type) {
    return type == VectorType.HALFVEC ? HALFVEC : VECTOR;
  }

  /** The type's name in the extension's schema. */
  String typeName() {
    return typeName;
  }

  /** The number that is stored for a number. */
  abstract float stored(float value);

  abstract float next(ByteBuffer bytes);

  abstract void put(float value, ByteBuffer bytes);

  /** How many bytes the type's receive function reads. */
  int length(int dimensions) {
    return HEADER + dimensions * bytesPerNumber;
  }

  /** Writes what the type's receive function reads. */
  void write(Embedding embedding, ByteBuffer bytes) {
    float[] values = embedding.values();
    bytes.putShort((short) values.length).putShort((short) 0);
    for (float value : values) {
      put(value, bytes);
    }
  }

  /** Reads what the type's send function wrote. */
  @Nullable Embedding read(byte @Nullable [] sent) {
    if (sent == null) {
      return null;
    }
    ByteBuffer bytes = ByteBuffer.wrap(sent, HEADER, sent.length - HEADER);
    float[] values = new float[bytes.remaining() / bytesPerNumber];
    for (int i = 0; i < values.length; i++) {
      values[i] = next(bytes);
    }
    return Embedding.wrap(values);
  }
}
