package io.agentmemory.consolidation.bench;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** The true nearest rows of every question within a project, by comparing all of them. */
final class Truth {
  /** The server computes the same distances a little differently. */
  private static final float TOLERANCE = 2e-6f;

  private static final int BLOCK = 2_000;

  private final DataSet data;
  private final int expected;

  /** Of each question, how near the last of the true best is. */
  private final float[] nearEnough;

  private Truth(DataSet data, int expected, float[] nearEnough) {
    this.data = data;
    this.expected = expected;
    this.nearEnough = nearEnough;
  }

  static Truth of(DataSet data, int project, boolean filtered, List<Question> questions) {
    int[] rows = data.rows(project, filtered);
    int expected = Math.min(Settings.K, rows.length);
    float[][] best = new float[questions.size()][expected];
    for (float[] similarities : best) {
      Arrays.fill(similarities, Float.NEGATIVE_INFINITY);
    }
    for (int from = 0; from < rows.length; from += BLOCK) {
      float[][] block =
          IntStream.range(from, Math.min(rows.length, from + BLOCK))
              .parallel()
              .mapToObj(i -> data.vector(rows[i]))
              .toArray(float[][]::new);
      IntStream.range(0, best.length)
          .parallel()
          .forEach(i -> keepBest(best[i], block, questions.get(i).vector()));
    }
    float[] nearEnough = new float[questions.size()];
    for (int i = 0; i < nearEnough.length; i++) {
      nearEnough[i] = best[i][0] - TOLERANCE;
    }
    return new Truth(data, expected, nearEnough);
  }

  /** Keeps the highest similarities, the lowest of them first. */
  private static void keepBest(float[] best, float[][] block, float[] question) {
    for (float[] vector : block) {
      float similarity = Vectors.cosine(vector, question);
      if (similarity > best[0]) {
        int i = 1;
        while (i < best.length && best[i] < similarity) {
          best[i - 1] = best[i];
          i++;
        }
        best[i - 1] = similarity;
      }
    }
  }

  /** How many rows there are to return. */
  int expected() {
    return expected;
  }

  /** The share of the true best among the rows found. */
  double recall(Question question, List<String> found) {
    int good = 0;
    for (String id : found) {
      float similarity = Vectors.cosine(data.vector(DataSet.row(id)), question.vector());
      if (similarity >= nearEnough[question.number()]) {
        good++;
      }
    }
    return (double) Math.min(good, expected) / expected;
  }
}
