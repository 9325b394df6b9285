package io.agentmemory.consolidation.dao;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A {@code tsquery} for every memory whose words weigh at least so much, which GIN evaluates inside
 * the index, so that only the memories that come into question are ranked.
 *
 * <p>It is a tree over the words, the rarest first: either a row holds the word, and the rest has
 * to weigh that much less, or the rest alone weighs enough. Memories that hold a word that was not
 * counted always match, since few can.
 *
 * @param query the query
 * @param weight what the words of a memory that does not match weigh less than
 * @param everything whether every memory that holds any of the words matches
 */
record ScoreThreshold(String query, long weight, boolean everything) {
  private static final int STEPS = 512;

  /** A tree of more parts is replaced by one that lets more rows through. */
  static final int MOST_PARTS = 400;

  /**
   * The highest threshold that about so many memories reach, if words occur independently of each
   * other.
   *
   * @param counted words with their counts, the rarest first
   * @param uncounted words that no count is known for
   */
  static ScoreThreshold reachedBy(
      double expected, List<WordWeight> counted, List<WordWeight> uncounted, long rows) {
    long weight = counted.isEmpty() ? 0 : weightReachedBy(expected, counted, rows);
    if (counted.isEmpty() || weight <= counted.get(counted.size() - 1).weight()) {
      return anyOf(counted, uncounted);
    }
    String tree = tree(counted, weight);
    return tree == null
        ? anyOf(counted, uncounted)
        : new ScoreThreshold(
            any(uncounted, new StringBuilder()).append(tree).toString(), weight, false);
  }

  private static ScoreThreshold anyOf(List<WordWeight> counted, List<WordWeight> uncounted) {
    StringBuilder query = any(counted, any(uncounted, new StringBuilder()));
    query.setLength(query.length() - 1);
    return new ScoreThreshold(query.toString(), 0, true);
  }

  private static StringBuilder any(List<WordWeight> words, StringBuilder query) {
    words.forEach(word -> query.append(word.quoted()).append('|'));
    return query;
  }

  /**
   * Walks from the heaviest sets of words down until enough memories are expected to hold them. Of
   * how many memories hold sets of about a weight, in steps rounded down, each word makes a mixture
   * of those with it and those without.
   */
  private static long weightReachedBy(double expected, List<WordWeight> words, long rows) {
    long heaviest = 0;
    for (WordWeight word : words) {
      heaviest += word.weight();
    }
    long step = heaviest / STEPS + 1;
    float[] holding = new float[STEPS + 1];
    holding[0] = rows;
    int top = 0;
    for (WordWeight word : words) {
      float share = (float) word.share(rows);
      int weight = (int) (word.weight() / step);
      top += weight;
      for (int i = top; i >= 0; i--) {
        holding[i] = holding[i] * (1 - share) + (i < weight ? 0 : holding[i - weight] * share);
      }
    }
    double sum = 0;
    for (int i = top; i > 0; i--) {
      sum += holding[i];
      if (sum >= expected) {
        return i * step;
      }
    }
    return 0;
  }

  /** The tree; null where it would let everything through. */
  private static @Nullable String tree(List<WordWeight> words, long weight) {
    int considered = words.size();
    long needed = weight;
    while (needed > 0) {
      Tree tree = new Tree(words.subList(0, considered));
      String query = tree.reaching(0, needed);
      if (tree.parts <= MOST_PARTS) {
        return query == null || query.isEmpty() ? null : query;
      }
      considered--;
      needed -= words.get(considered).weight();
    }
    return null;
  }

  private static final class Tree {
    private final List<WordWeight> words;
    private final long[] left;
    private int parts;

    Tree(List<WordWeight> words) {
      this.words = words;
      left = new long[words.size() + 1];
      for (int i = words.size() - 1; i >= 0; i--) {
        left[i] = left[i + 1] + words.get(i).weight();
      }
    }

    /** What the words from one on must match; null if they cannot, empty if they need not. */
    @Nullable String reaching(int from, long needed) {
      if (needed <= 0) {
        return "";
      }
      if (left[from] < needed || ++parts > MOST_PARTS) {
        return null;
      }
      WordWeight word = words.get(from);
      String with = reaching(from + 1, needed - word.weight());
      String without = reaching(from + 1, needed);
      if (with == null || with.equals(without)) {
        return without;
      }
      String both = with.isEmpty() ? word.quoted() : word.quoted() + "&" + grouped(with);
      return without == null ? both : both + "|" + without;
    }

    private static String grouped(String query) {
      return query.indexOf('|') < 0 ? query : "(" + query + ")";
    }
  }
}
