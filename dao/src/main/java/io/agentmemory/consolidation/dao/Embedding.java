package io.agentmemory.consolidation.dao;

import java.util.Arrays;

/**
 * A vector that stands for the meaning of a text. Immutable.
 *
 * <p>An embedding has a direction: vectors that are empty or zero, hold NaN or infinity, or are so
 * long or so short that a cosine distance in single precision overflows or vanishes are refused.
 */
public final class Embedding {
  private static final double SHORTEST = 1e-15;
  private static final double LONGEST = 1e15;

  private final float[] values;

  private Embedding(float[] values) {
    this.values = values;
  }

  /**
   * An embedding of these numbers.
   *
   * @param values the numbers, copied
   * @return the embedding
   * @throws InvalidInputException if the numbers have no direction
   */
  public static Embedding of(float... values) {
    return checked(Checks.notNull("values", values).clone());
  }

  /**
   * An embedding of these numbers, rounded to single precision.
   *
   * @param values the numbers
   * @return the embedding
   * @throws InvalidInputException if the numbers have no direction
   */
  public static Embedding of(double[] values) {
    float[] floats = new float[Checks.notNull("values", values).length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return checked(floats);
  }

  /** Wraps what comes from the database, or from {@link #of}, without a copy. */
  static Embedding wrap(float[] values) {
    return new Embedding(values);
  }

  private static Embedding checked(float[] values) {
    if (values.length == 0) {
      throw new InvalidInputException("an embedding must not be empty");
    }
    double squares = 0;
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        throw new InvalidInputException(
            "an embedding must hold finite numbers, number %d of %d is %s"
                .formatted(i + 1, values.length, values[i]));
      }
      squares += (double) values[i] * values[i];
    }
    double length = Math.sqrt(squares);
    if (length == 0) {
      throw new InvalidInputException(
          "an embedding must not be zero: it would have no direction, and no search would find it");
    }
    if (length < SHORTEST || length > LONGEST) {
      throw new InvalidInputException(
          "an embedding's length must be between %s and %s, was %s: normalise it"
              .formatted(SHORTEST, LONGEST, length));
    }
    return wrap(values);
  }

  /**
   * How many numbers it has.
   *
   * @return the number of dimensions
   */
  public int dimensions() {
    return values.length;
  }

  /**
   * The numbers.
   *
   * @return a copy
   */
  public float[] toArray() {
    return values.clone();
  }

  /** The numbers themselves, not to be written to. */
  float[] values() {
    return values;
  }

  /**
   * The cosine of the angle to another embedding.
   *
   * @param other an embedding of as many dimensions
   * @return from -1, opposite, to 1, the same direction
   * @throws InvalidInputException if the dimensions differ
   */
  public double cosineSimilarity(Embedding other) {
    if (values.length != Checks.notNull("other", other).values.length) {
      throw new InvalidInputException(
          "cannot compare an embedding of %d dimensions with one of %d"
              .formatted(values.length, other.values.length));
    }
    double product = 0;
    double squares = 0;
    double otherSquares = 0;
    for (int i = 0; i < values.length; i++) {
      double a = values[i];
      double b = other.values[i];
      product += a * b;
      squares += a * a;
      otherSquares += b * b;
    }
    double cosine = product / Math.sqrt(squares * otherSquares);
    return Math.max(-1, Math.min(1, cosine));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Embedding that && Arrays.equals(values, that.values);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(values);
  }

  /** The number of dimensions and the first numbers. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("Embedding(").append(values.length).append(")[");
    for (int i = 0; i < Math.min(4, values.length); i++) {
      text.append(i == 0 ? "" : ", ").append(values[i]);
    }
    return text.append(values.length > 4 ? ", …]" : "]").toString();
  }
}
