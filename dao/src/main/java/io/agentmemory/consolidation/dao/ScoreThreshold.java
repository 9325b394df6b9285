package io.agentmemory.consolidation.dao;

import java.util.List;

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
  private static final int STEPS = 256;

  private static final int INITIAL_LENGTH = 256;

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
    StringBuilder query = any(uncounted, new StringBuilder(INITIAL_LENGTH));
    return tree(counted, weight, query)
        ? new ScoreThreshold(query.toString(), weight, false)
        : anyOf(counted, uncounted);
  }

  private static ScoreThreshold anyOf(List<WordWeight> counted, List<WordWeight> uncounted) {
    StringBuilder query = any(counted, any(uncounted, new StringBuilder()));
    query.setLength(query.length() - 1);
    return new ScoreThreshold(query.toString(), 0, true);
  }

  private static StringBuilder any(List<WordWeight> words, StringBuilder query) {
    for (WordWeight word : words) {
      word.quote(query);
      query.append('|');
    }
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

  /** Adds the tree; false where it would let everything through. */
  private static boolean tree(List<WordWeight> words, long weight, StringBuilder query) {
    int start = query.length();
    int considered = words.size();
    long needed = weight;
    while (needed > 0) {
      Tree tree = new Tree(words, considered, query);
      Reaching reaching = tree.add(0, needed);
      if (tree.parts <= MOST_PARTS) {
        return reaching != Reaching.NEVER && reaching != Reaching.ALWAYS;
      }
      query.setLength(start);
      considered--;
      needed -= words.get(considered).weight();
    }
    return false;
  }

  /** When words reach a weight. */
  private enum Reaching {
    NEVER,
    ALWAYS,
    /** Where they match a query without an "or". */
    ALL_OF,
    /** Where they match a query with one. */
    ANY_OF
  }

  private static final class Tree {
    private final List<WordWeight> words;
    private final StringBuilder query;
    private final long[] left;
    private int parts;

    Tree(List<WordWeight> words, int considered, StringBuilder query) {
      this.words = words;
      this.query = query;
      left = new long[considered + 1];
      for (int i = considered - 1; i >= 0; i--) {
        left[i] = left[i + 1] + words.get(i).weight();
      }
    }

    /** Adds what the words from one on must match; nothing if they cannot or need not. */
    Reaching add(int from, long needed) {
      if (needed <= 0) {
        return Reaching.ALWAYS;
      }
      if (left[from] < needed || ++parts > MOST_PARTS) {
        return Reaching.NEVER;
      }
      int start = query.length();
      words.get(from).quote(query);
      int end = query.length();
      query.append('&');
      Reaching with = add(from + 1, needed - words.get(from).weight());
      if (with == Reaching.NEVER) {
        query.setLength(start);
        return add(from + 1, needed);
      }
      int rest = end + 1;
      if (with == Reaching.ALWAYS) {
        query.setLength(end);
      } else if (with == Reaching.ANY_OF) {
        query.insert(rest++, '(');
      }
      int restEnd = query.length();
      if (with == Reaching.ANY_OF) {
        query.append(')');
      }
      end = query.length();
      query.append('|');
      Reaching without = add(from + 1, needed);
      if (without == Reaching.NEVER) {
        query.setLength(end);
        return with == Reaching.ANY_OF ? with : Reaching.ALL_OF;
      }
      if (with == without && repeats(rest, restEnd, end + 1)) {
        query.delete(start, end + 1);
        return without;
      }
      return Reaching.ANY_OF;
    }

    /** Whether what was added last, from a position on, is what stands between two others. */
    private boolean repeats(int start, int end, int last) {
      if (end - start != query.length() - last) {
        return false;
      }
      for (int i = start; i < end; i++) {
        if (query.charAt(i) != query.charAt(last + i - start)) {
          return false;
        }
      }
      return true;
    }
  }
}
