package io.agentmemory.consolidation.bench;

import java.util.Random;

/** Arithmetic of vectors of unit length. */
final class Vectors {
  private static final double NOISE = 0.02;

  private Vectors() {}

  /** The same two vectors always give the same number. */
  static float cosine(float[] a, float[] b) {
    float s0 = 0;
    float s1 = 0;
    float s2 = 0;
    float s3 = 0;
    for (int i = 0; i + 3 < a.length; i += 4) {
      s0 += a[i] * b[i];
      s1 += a[i + 1] * b[i + 1];
      s2 += a[i + 2] * b[i + 2];
      s3 += a[i + 3] * b[i + 3];
    }
    return s0 + s1 + s2 + s3;
  }

  static float[] normalised(float[] vector) {
    double squares = 0;
    for (float value : vector) {
      squares += (double) value * value;
    }
    float[] unit = new float[vector.length];
    double length = Math.sqrt(squares);
    for (int i = 0; i < vector.length; i++) {
      unit[i] = (float) (vector[i] / length);
    }
    return unit;
  }

  /** The vector with Gaussian noise on every number, of unit length again. */
  static float[] perturbed(float[] vector, long seed) {
    Random random = new Random(seed);
    float[] noisy = new float[vector.length];
    for (int i = 0; i < vector.length; i++) {
      noisy[i] = (float) (vector[i] + NOISE * random.nextGaussian());
    }
    return normalised(noisy);
  }
}
