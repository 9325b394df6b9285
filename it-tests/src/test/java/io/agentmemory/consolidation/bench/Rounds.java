package io.agentmemory.consolidation.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * Interleaved rounds: in each, every contender is asked the same slice of the questions, by one
 * client; the next round begins with another contender. A first round, not counted, warms up.
 */
final class Rounds {
  /** However slow a contender is, it answers so many of a slice. */
  private static final int FEWEST = 4;

  private final int rounds;
  private final int slice;
  private final long sliceNanos;

  Rounds(Settings settings) {
    this(settings.rounds(), settings.slice(), settings.sliceNanos());
  }

  private Rounds(int rounds, int slice, long sliceNanos) {
    this.rounds = rounds;
    this.slice = slice;
    this.sliceNanos = sliceNanos;
  }

  /**
   * A slice is all questions, so that every round finds the same, and is long enough to warm up.
   */
  static Rounds ofAllQuestions(Settings settings) {
    return new Rounds(settings.rounds(), settings.questions(), Long.MAX_VALUE);
  }

  /** One contender's rounds so far. */
  private static final class Tally {
    private final List<Double> p50 = new ArrayList<>();
    private final List<Double> p99 = new ArrayList<>();
    private double recall;
    private long rows;
    private boolean complete = true;
    private int asked;

    Measured result(String name) {
      return new Measured(
          name,
          Spread.of(p50),
          Spread.of(p99),
          recall / asked,
          (double) rows / asked,
          complete,
          asked);
    }
  }

  /** Runs them all; results are in the contenders' order. */
  List<Measured> run(List<? extends Contender> contenders, List<Question> questions, Truth truth)
      throws Exception {
    List<Tally> tallies = contenders.stream().map(contender -> new Tally()).toList();
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < contenders.size(); i++) {
      order.add(i);
    }
    for (int round = 0; round <= rounds; round++) {
      for (int i : order) {
        Tally tally = round == 0 ? new Tally() : tallies.get(i);
        slice(contenders.get(i), questions, round, truth, tally);
      }
      Collections.rotate(order, 1);
    }
    List<Measured> results = new ArrayList<>();
    for (int i = 0; i < contenders.size(); i++) {
      results.add(tallies.get(i).result(contenders.get(i).name()));
    }
    return results;
  }

  private void slice(
      Contender contender, List<Question> questions, int round, Truth truth, Tally tally)
      throws Exception {
    int size = Math.min(slice, questions.size());
    double[] times = new double[size];
    int asked = 0;
    long begin = System.nanoTime();
    while (asked < size && (asked < FEWEST || System.nanoTime() - begin < sliceNanos)) {
      Question question = questions.get((round * size + asked) % questions.size());
      long start = System.nanoTime();
      List<String> found = contender.ask(question);
      times[asked++] = (System.nanoTime() - start) / 1e6;
      tally.recall += truth.recall(question, found);
      tally.rows += found.size();
      tally.complete &= found.size() >= truth.expected();
      tally.asked++;
    }
    double[] taken = Arrays.copyOf(times, asked);
    tally.p50.add(Spread.percentile(taken, 50));
    tally.p99.add(Spread.percentile(taken, 99));
  }
}
