package io.agentmemory.consolidation.dao;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The words' part of a search, see {@link WordSql}.
 *
 * @param shape what the SQL depends on
 * @param words the words that count; none where the statement finds them itself
 * @param threshold which memories come into question; null where the statement knows
 * @param rows how many memories the project had when its words were counted; 0 where they were not
 */
record WordLeg(Shape shape, List<WordWeight> words, @Nullable ScoreThreshold threshold, long rows) {
  /** Up to so many memories, words are counted by the search itself. */
  static final int SMALL = 400;

  /** Up to so many words are looked up in each memory of a small project sooner than its words. */
  static final int FEW_WORDS = 20;

  /** From so many memories on, the index on projects is of no help to that on words. */
  private static final int HIDE_PROJECT_FROM = 10_000;

  /**
   * But it is where the project has less of the table. Measured for 12,000 of 300,000 rows: of a
   * word in 70 of these and in a fifth of the others, 55 ms by the words alone and 10 ms by both
   * indexes; of a word in 30 of these and in 630 others, 0.4 and 1.1 ms.
   */
  private static final double HIDE_PROJECT_SHARE = 1 / 8.0;

  /** How many of the words that occur, and how many of those that may occur, count at most. */
  static final int MOST_WORDS = 32;

  /** How many of those that may occur, where only a sample was counted and many do. */
  private static final int MOST_UNSEEN = 128;

  /** The words of a statement are rounded up to so many, for fewer statements to prepare. */
  private static final int SLOTS = 4;

  private static final Comparator<WordWeight> RAREST_FIRST =
      Comparator.comparingLong(WordWeight::holding).thenComparing(WordWeight::lexeme);

  enum Kind {
    WEB_SEARCH,
    COUNTED,
    WEIGHED
  }

  /** Legs of one shape share their SQL, which has slots for at least as many words as there are. */
  record Shape(Kind kind, int slots, boolean hidesProject) {
    /**
     * Whether one plan serves all words. A custom plan takes longer to make than most of these
     * searches to run, and knows no better: how many rows a threshold lets through is not estimated
     * from the words.
     */
    boolean hasOnePlan(int filter) {
      return kind == Kind.COUNTED || (kind == Kind.WEIGHED && filter == 0);
    }
  }

  static final WordLeg WEB_SEARCH =
      new WordLeg(new Shape(Kind.WEB_SEARCH, 0, false), List.of(), null, 0);

  /** For a project that is small; a larger one is only told to be larger. */
  static final WordLeg COUNTED = new WordLeg(new Shape(Kind.COUNTED, 0, false), List.of(), null, 0);

  /** The leg for about so many memories among those of a project whose words were counted. */
  static WordLeg weighed(ProjectWords project, Collection<String> lexemes, double expected) {
    List<WordWeight> counted = new ArrayList<>(lexemes.size());
    List<WordWeight> uncounted = new ArrayList<>();
    for (String lexeme : lexemes) {
      WordWeight word = project.weigh(lexeme);
      (word.holding() > 0 ? counted : uncounted).add(word);
    }
    rarest(counted, MOST_WORDS);
    rarest(uncounted, project.isSampled() ? MOST_UNSEEN : MOST_WORDS);
    List<WordWeight> words = new ArrayList<>(uncounted.size() + counted.size());
    words.addAll(uncounted);
    words.addAll(counted);
    int slots = (words.size() + SLOTS - 1) / SLOTS * SLOTS;
    return new WordLeg(
        new Shape(
            Kind.WEIGHED,
            slots,
            project.rows() >= HIDE_PROJECT_FROM && project.share() >= HIDE_PROJECT_SHARE),
        words,
        ScoreThreshold.reachedBy(expected, counted, uncounted, project.rows()),
        project.rows());
  }

  /** Leaves so many of the rarest, in order. */
  private static void rarest(List<WordWeight> words, int most) {
    words.sort(RAREST_FIRST);
    if (words.size() > most) {
      words.subList(most, words.size()).clear();
    }
  }

  /** Sets the parameters of the leg and of the headline. */
  void bind(Call call, String text, @Nullable Headline headline) throws SQLException {
    if (threshold == null || headline != null) {
      call.text("text", text);
    }
    if (headline != null) {
      call.text("headline", headline.options());
    }
    if (threshold == null) {
      return;
    }
    long[] weights = new long[words.size()];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = words.get(i).weight();
    }
    call.text("words", WordWeight.array(words))
        .integers("weights", weights)
        .text("threshold", threshold.query());
  }

  /** Scores as they are told: weights in their units, ranks as the server gives them. */
  double score(double sum) {
    return shape.kind == Kind.WEB_SEARCH ? sum : sum / WordWeight.UNIT;
  }

  /**
   * What the columns of {@code {found}} say.
   *
   * @param projectRows how many memories the project has, up to a bound; 0 where not asked
   * @param words whether there are words to search for: 0 if not
   * @param matching how many memories match, up to the depth; 0 where it does not matter
   * @param lowest the lowest score among them
   */
  record Found(int projectRows, int words, int matching, double lowest) {
    static final int COLUMNS = 4;
    static final Found NOTHING = new Found(0, 0, 0, 0);

    static Found read(ResultSet row, int first) throws SQLException {
      return new Found(
          row.getInt(first),
          row.getInt(first + 1),
          row.getInt(first + 2),
          row.getDouble(first + 3));
    }
  }

  /** Whether no memory outside of those that matched can be among the best. */
  boolean isComplete(Found found, int depth) {
    return switch (shape.kind) {
      case WEB_SEARCH -> true;
      case COUNTED -> found.projectRows <= SMALL;
      case WEIGHED ->
          threshold == null
              || threshold.everything()
              || (found.matching == depth && found.lowest >= threshold.weight());
    };
  }
}
