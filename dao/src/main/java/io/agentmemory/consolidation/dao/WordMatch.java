package io.agentmemory.consolidation.dao;

/** Which memories the text of a query matches, and how they are ranked. */
public enum WordMatch {
  /**
   * The syntax of web searches: every word must occur, {@code "…"} is a phrase, {@code or} and
   * {@code -} mean what they say. No text is an error. Ranked by how near the words are to each
   * other ({@code ts_rank_cd}).
   */
  WEB_SEARCH,
  /**
   * At least one of the words must occur. For questions as people and agents ask them.
   *
   * <p>The score of a memory is the sum of the weights of the words that it holds, each once; a
   * word that {@code f} of the project's {@code n} memories hold weighs {@code ln(1 + (n - f + 0.5)
   * / (f + 0.5))}. The memories with the highest scores are found exactly. Of a text with more
   * words, the 32 rarest that occur count. For a project of more than 400 memories the counts may
   * be some seconds old, and are estimated from 50,000 of its memories where it has more; that
   * shifts weights, while what the memories hold is always read as it is.
   */
  ANY_WORD
}
