package io.agentmemory.consolidation.bench;

import java.util.Arrays;
import java.util.Collection;
import java.util.Locale;

/** The median of the rounds, with the lowest and the highest of them. */
record Spread(double median, double min, double max) {

  static Spread of(Collection<Double> rounds) {
    double[] sorted = rounds.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    return new Spread(middle(sorted), sorted[0], sorted[sorted.length - 1]);
  }

  private static double middle(double[] sorted) {
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }

  /** The value that so many of a hundred do not exceed. */
  static double percentile(double[] values, double percent) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int rank = (int) Math.ceil(sorted.length * percent / 100);
    return sorted[Math.max(0, rank - 1)];
  }

  @Override
  public String toString() {
    return "%s (%s–%s)".formatted(number(median), number(min), number(max));
  }

  /** With three digits that count, or all before the point. */
  static String number(double value) {
    if (value == 0 || Double.isNaN(value)) {
      return Double.isNaN(value) ? "-" : "0";
    }
    int digits = Math.max(0, 2 - (int) Math.floor(Math.log10(Math.abs(value))));
    return String.format(Locale.ROOT, "%,." + Math.min(digits, 4) + "f", value);
  }
}
