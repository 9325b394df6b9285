package io.agentmemory.consolidation.quickstart;

import java.text.BreakIterator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Words and sentences of English prose about code. */
final class Words {
  private static final Pattern WORD =
      Pattern.compile("[\\p{L}\\p{N}_]+(?:[.\\-/][\\p{L}\\p{N}_]+)*");
  private static final Set<String> COMMON =
      Arrays.stream(
              """
              a about after again all also always an and another any are as at be because been before
              below but by came can do does down each every for found from go goes had has have how if
              in instead into is it its itself left longer made may more must need needs never new no
              not now of off on once one only or other out over own same so some still than that the
              their them then there they this three time to two until up use used uses very was went
              were what when where which while who why will with within without works you
              """
                  .split("\\s+"))
          .collect(Collectors.toUnmodifiableSet());

  private Words() {}

  /** The words of a text that say something, in lower case, in their order. */
  static Set<String> of(String text) {
    Set<String> words = new LinkedHashSet<>();
    WORD.matcher(text)
        .results()
        .map(match -> match.group().toLowerCase(Locale.ROOT))
        .filter(word -> word.length() > 2 && !COMMON.contains(word))
        .filter(word -> !Character.isDigit(word.charAt(0)))
        .forEach(words::add);
    return words;
  }

  static List<String> sentences(String text) {
    BreakIterator boundaries = BreakIterator.getSentenceInstance(Locale.ENGLISH);
    boundaries.setText(text);
    List<String> sentences = new ArrayList<>();
    int start = boundaries.first();
    for (int end = boundaries.next(); end != BreakIterator.DONE; end = boundaries.next()) {
      String sentence = text.substring(start, end).strip();
      if (!sentence.isEmpty()) {
        sentences.add(sentence);
      }
      start = end;
    }
    return sentences;
  }
}
