package io.agentmemory.consolidation.dao;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ScoreThresholdTest {
  private static final long ROWS = 50_000;

  private static List<WordWeight> words(int count, Random random) {
    List<WordWeight> words = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      words.add(WordWeight.of("w" + i, 1 + (long) Math.exp(random.nextDouble() * 10), ROWS));
    }
    words.sort(Comparator.comparingLong(WordWeight::holding));
    return words;
  }

  /** Evaluates a query of quoted words, {@code &}, {@code |} and parentheses. */
  private static boolean matches(String query, Set<String> held) {
    int depth = 0;
    for (char operator : new char[] {'|', '&'}) {
      for (int i = 0; i < query.length(); i++) {
        char c = query.charAt(i);
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
        if (c == operator && depth == 0) {
          boolean left = matches(query.substring(0, i), held);
          boolean right = matches(query.substring(i + 1), held);
          return operator == '|' ? left || right : left && right;
        }
      }
    }
    return query.startsWith("(")
        ? matches(query.substring(1, query.length() - 1), held)
        : held.contains(query);
  }

  private static String quoted(WordWeight word) {
    StringBuilder query = new StringBuilder();
    word.quote(query);
    return query.toString();
  }

  private static void letsEveryHeavySetThrough(List<WordWeight> words, double expected) {
    ScoreThreshold threshold = ScoreThreshold.reachedBy(expected, words, List.of(), ROWS);
    for (int set = 1; set < 1 << words.size(); set++) {
      int bits = set;
      List<WordWeight> held =
          words.stream().filter(word -> ((bits >> words.indexOf(word)) & 1) == 1).toList();
      long weight = held.stream().mapToLong(WordWeight::weight).sum();
      if (weight >= threshold.weight()) {
        Set<String> quoted =
            held.stream().map(ScoreThresholdTest::quoted).collect(Collectors.toSet());
        assertThat(matches(threshold.query(), quoted)).as("%s of %s", held, threshold).isTrue();
      }
    }
  }

  @Test
  void every_set_of_words_that_reaches_the_weight_matches() {
    Random random = new Random(1);
    for (int i = 0; i < 60; i++) {
      letsEveryHeavySetThrough(words(1 + i % 8, random), 5 * Math.pow(10, i % 4));
    }
  }

  @Test
  void a_tree_that_would_grow_too_large_lets_more_through_instead() {
    List<WordWeight> words = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      words.add(WordWeight.of("w" + i, 9_000 + 37L * i * i, ROWS));
    }
    ScoreThreshold threshold = ScoreThreshold.reachedBy(500, words, List.of(), ROWS);
    assertThat(threshold.everything()).isFalse();
    assertThat(threshold.query().chars().filter(c -> c == '|').count()).isLessThan(2_000);
    letsEveryHeavySetThrough(words, 500);
  }

  @Test
  void a_word_that_was_not_counted_matches_by_itself() {
    ScoreThreshold threshold =
        ScoreThreshold.reachedBy(
            20,
            words(5, new Random(2)),
            List.of(WordWeight.of("it's", 0, ROWS), WordWeight.of("a\\b", 0, ROWS)),
            ROWS);
    assertThat(threshold.everything()).isFalse();
    assertThat(threshold.query()).startsWith("'it''s'|'a\\\\b'|");
  }

  @Test
  void few_memories_are_reached_by_rare_words_together_and_many_by_any_word() {
    List<WordWeight> words =
        List.of(
            WordWeight.of("rare", 30, ROWS),
            WordWeight.of("common", 5_000, ROWS),
            WordWeight.of("usual", 20_000, ROWS));
    assertThat(ScoreThreshold.reachedBy(2, words, List.of(), ROWS).query())
        .isEqualTo("'rare'&'common'");
    assertThat(ScoreThreshold.reachedBy(40_000, words, List.of(), ROWS))
        .isEqualTo(new ScoreThreshold("'rare'|'common'|'usual'", 0, true));
  }
}
