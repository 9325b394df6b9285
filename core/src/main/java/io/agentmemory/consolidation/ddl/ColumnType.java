package io.agentmemory.consolidation.ddl;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The type of a column. Types of pgvector are written with the schema that the extension lives in,
 * which is known only when they are rendered.
 *
 * <p>Immutable and thread-safe.
 */
public final class ColumnType {
  private static final int MAX_VARCHAR = 10_485_760;

  private final String name;
  private final int length;
  private final boolean array;
  private final boolean ofExtension;

  private ColumnType(String name, int length, boolean array, boolean ofExtension) {
    this.name = name;
    this.length = length;
    this.array = array;
    this.ofExtension = ofExtension;
  }

  private static ColumnType builtIn(String name) {
    return new ColumnType(name, 0, false, false);
  }

  /**
   * Text of any length.
   *
   * @return {@code varchar}
   */
  public static ColumnType varchar() {
    return builtIn("varchar");
  }

  /**
   * Text of a limited length.
   *
   * @param length the most characters, 1 to 10485760
   * @return {@code varchar(length)}
   */
  public static ColumnType varchar(int length) {
    return new ColumnType("varchar", checked("varchar", length, MAX_VARCHAR), false, false);
  }

  /**
   * Text of any length.
   *
   * @return {@code text}
   */
  public static ColumnType text() {
    return builtIn("text");
  }

  /**
   * A whole number of four bytes.
   *
   * @return {@code integer}
   */
  public static ColumnType integer() {
    return builtIn("integer");
  }

  /**
   * A floating point number of eight bytes.
   *
   * @return {@code double precision}
   */
  public static ColumnType doublePrecision() {
    return builtIn("double precision");
  }

  /**
   * True or false.
   *
   * @return {@code boolean}
   */
  public static ColumnType bool() {
    return builtIn("boolean");
  }

  /**
   * A point in time.
   *
   * @return {@code timestamptz}
   */
  public static ColumnType timestamptz() {
    return builtIn("timestamptz");
  }

  /**
   * A JSON value.
   *
   * @return {@code jsonb}
   */
  public static ColumnType jsonb() {
    return builtIn("jsonb");
  }

  /**
   * The lexemes of a text.
   *
   * @return {@code tsvector}
   */
  public static ColumnType tsvector() {
    return builtIn("tsvector");
  }

  /**
   * A vector of single precision numbers.
   *
   * @param dimensions 1 to 16000
   * @return {@code vector(dimensions)}
   */
  public static ColumnType vector(int dimensions) {
    return new ColumnType("vector", checked("vector", dimensions, 16_000), false, true);
  }

  /**
   * A vector of half precision numbers.
   *
   * @param dimensions 1 to 16000
   * @return {@code halfvec(dimensions)}
   */
  public static ColumnType halfvec(int dimensions) {
    return new ColumnType("halfvec", checked("halfvec", dimensions, 16_000), false, true);
  }

  /**
   * An array of this type.
   *
   * @return this type followed by {@code []}
   * @throws IllegalStateException if this is an array already; PostgreSQL knows no array of arrays
   */
  public ColumnType array() {
    if (array) {
      throw new IllegalStateException("PostgreSQL knows no array of arrays: " + this);
    }
    return new ColumnType(name, length, true, ofExtension);
  }

  private static int checked(String type, int length, int limit) {
    if (length < 1 || length > limit) {
      throw new IllegalArgumentException(
          type + " takes 1 to " + limit + ", it was given " + length);
    }
    return length;
  }

  /** The type as SQL, given the schema that pgvector lives in. */
  String sql(String extensionSchema) {
    String qualified = ofExtension ? new QualifiedName(extensionSchema, name).sql() : name;
    return qualified + (length == 0 ? "" : "(" + length + ")") + (array ? "[]" : "");
  }

  boolean isBoolean() {
    return name.equals("boolean") && !array;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ColumnType that
        && name.equals(that.name)
        && length == that.length
        && array == that.array;
  }

  @Override
  public int hashCode() {
    return Objects.hash(name, length, array);
  }

  @Override
  public String toString() {
    return name + (length == 0 ? "" : "(" + length + ")") + (array ? "[]" : "");
  }
}
