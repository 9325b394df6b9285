package io.agentmemory.consolidation.dao;

/**
 * A search by vector and by words at once. Immutable.
 *
 * <p>The best candidates of either search are scored by both; the fused score is the weighted mean
 * of the text score over the best one and of the similarity scaled to what the candidates span.
 *
 * @param text what to search for
 * @param embedding what to be near to, as a rule the embedding of the text
 * @param limit how many memories to find, from 1 to 10,000
 * @param match which memories match the text; any word unless set
 * @param textWeight the weight of the words, from 0 to 1; the rest is the vector's
 * @param depth how many candidates each search gives, at least as many as the limit
 * @param filter which memories to consider
 */
public record FusedQuery(
    String text,
    Embedding embedding,
    int limit,
    WordMatch match,
    double textWeight,
    int depth,
    MemoryFilter filter) {

  private static final int DEFAULT_DEPTH = 50;

  /**
   * Checks the parts.
   *
   * @param text what to search for
   * @param embedding what to be near to
   * @param limit how many memories to find
   * @param match which memories match the text
   * @param textWeight the weight of the words
   * @param depth how many candidates each search gives
   * @param filter which memories to consider
   */
  public FusedQuery {
    MemoryChecks.queryText(text);
    Checks.notNull("embedding", embedding);
    MemoryChecks.limit("limit", limit);
    Checks.notNull("match", match);
    MemoryChecks.fraction("textWeight", textWeight);
    MemoryChecks.depth(depth, limit);
    Checks.notNull("filter", filter);
  }

  /**
   * A search among all memories of a project, with equal weights.
   *
   * @param text what to search for
   * @param embedding what to be near to
   * @param limit how many memories to find
   * @return the query
   */
  public static FusedQuery of(String text, Embedding embedding, int limit) {
    return new FusedQuery(
        text,
        embedding,
        limit,
        WordMatch.ANY_WORD,
        0.5,
        Math.max(DEFAULT_DEPTH, limit),
        MemoryFilter.none());
  }

  /**
   * The same with another way to match the text.
   *
   * @param match which memories match
   * @return another query
   */
  public FusedQuery withMatch(WordMatch match) {
    return new FusedQuery(text, embedding, limit, match, textWeight, depth, filter);
  }

  /**
   * The same with other weights.
   *
   * @param textWeight the weight of the words, from 0 to 1
   * @return another query
   */
  public FusedQuery withTextWeight(double textWeight) {
    return new FusedQuery(text, embedding, limit, match, textWeight, depth, filter);
  }

  /**
   * The same with more or fewer candidates.
   *
   * @param depth how many candidates each search gives
   * @return another query
   */
  public FusedQuery withDepth(int depth) {
    return new FusedQuery(text, embedding, limit, match, textWeight, depth, filter);
  }

  /**
   * The same among fewer memories.
   *
   * @param filter which memories to consider
   * @return another query
   */
  public FusedQuery withFilter(MemoryFilter filter) {
    return new FusedQuery(text, embedding, limit, match, textWeight, depth, filter);
  }
}
