package io.agentmemory.consolidation.dao;

import org.jspecify.annotations.Nullable;

/**
 * A search for the memories whose words match best. Immutable.
 *
 * <p>To match any word, the words of a project of more than 400 memories are counted: by its first
 * search, and by one search at most every ten seconds after that, which take longer by about 2 ms
 * for each 1,000 memories, beyond 50,000 by 1 ms for each 1,000. A first search that has less time
 * fails; a later one goes on with the old counts.
 *
 * @param text what to search for
 * @param limit how many memories to find, from 1 to 10,000
 * @param match which memories match; the syntax of web searches unless set
 * @param filter which memories to consider
 * @param headline how to mark the words in excerpts; null for no excerpts, which take longest of
 *     all
 */
public record TextQuery(
    String text, int limit, WordMatch match, MemoryFilter filter, @Nullable Headline headline) {

  /**
   * Checks the parts.
   *
   * @param text what to search for
   * @param limit how many memories to find
   * @param match which memories match
   * @param filter which memories to consider
   * @param headline how to mark the words in excerpts
   */
  public TextQuery {
    MemoryChecks.queryText(text);
    MemoryChecks.limit("limit", limit);
    Checks.notNull("match", match);
    Checks.notNull("filter", filter);
  }

  /**
   * A search among all memories of a project, in the syntax of web searches.
   *
   * @param text what to search for
   * @param limit how many memories to find
   * @return the query
   */
  public static TextQuery of(String text, int limit) {
    return new TextQuery(text, limit, WordMatch.WEB_SEARCH, MemoryFilter.none(), null);
  }

  /**
   * The same with another way to match.
   *
   * @param match which memories match
   * @return another query
   */
  public TextQuery withMatch(WordMatch match) {
    return new TextQuery(text, limit, match, filter, headline);
  }

  /**
   * The same among fewer memories.
   *
   * @param filter which memories to consider
   * @return another query
   */
  public TextQuery withFilter(MemoryFilter filter) {
    return new TextQuery(text, limit, match, filter, headline);
  }

  /**
   * The same with excerpts, see {@link TextHit#headline}.
   *
   * @param headline how to mark the words in them
   * @return another query
   */
  public TextQuery withHeadline(Headline headline) {
    return new TextQuery(text, limit, match, filter, Checks.notNull("headline", headline));
  }
}
