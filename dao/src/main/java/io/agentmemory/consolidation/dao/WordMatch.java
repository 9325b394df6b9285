package io.agentmemory.consolidation.dao;

/** Which memories the text of a query matches. */
public enum WordMatch {
  /**
   * The syntax of web searches: every word must occur, {@code "…"} is a phrase, {@code or} and
   * {@code -} mean what they say. No text is an error.
   */
  WEB_SEARCH,
  /** At least one of the words must occur. For questions as people and agents ask them. */
  ANY_WORD
}
