package io.agentmemory.consolidation.dao;

/**
 * How the words found are marked in the excerpts of a search. Neither the content nor the marks are
 * escaped: for HTML, mark with characters that the content cannot hold, escape, then replace them.
 *
 * @param start what stands before a word, from 1 to 50 characters without {@code "}
 * @param stop what stands after it, likewise
 */
public record Headline(String start, String stop) {
  private static final int LONGEST = 50;

  /**
   * Checks the marks.
   *
   * @param start what stands before a word
   * @param stop what stands after it
   */
  public Headline {
    check("start", start);
    check("stop", stop);
  }

  private static void check(String name, String mark) {
    Checks.name(name, mark, LONGEST);
    if (mark.indexOf('"') >= 0) {
      throw new InvalidInputException(name + " must not hold \", was " + Checks.quoted(mark));
    }
  }

  String options() {
    return "StartSel=\"" + start + "\", StopSel=\"" + stop + "\"";
  }
}
