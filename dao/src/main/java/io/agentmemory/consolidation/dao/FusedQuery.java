package io.agentmemory.consolidation.dao;

import org.jspecify.annotations.Nullable;

/**
 * A search by vector and by words at once. Immutable.
 *
 * <p>The best candidates of either search are scored by both, and the scores fused. The defaults
 * (convex, words 0.4, damping 2, 50 candidates each) come from 760 questions on five long
 * conversations of LoCoMo with all-MiniLM-L6-v2: recall@10 0.698 against 0.626 by words and 0.511
 * by vector alone; 0.693 where each conversation was left out of the choice. To match any word,
 * some searches count words first, as {@link TextQuery} tells.
 *
 * @param text what to search for
 * @param embedding what to be near to, as a rule the embedding of the text
 * @param limit how many memories to find, from 1 to 10,000
 * @param match which memories match the text; any word unless set
 * @param method how the scores become one; convex unless set
 * @param textWeight the weight of the words, from 0 to 1; the rest is the vector's; what is less
 *     than 1e-100 counts as 0
 * @param lengthDamping for the convex method: the similarity counts {@code l / (l + lengthDamping)}
 *     for a memory of {@code l} different words, since short texts seem near to everything; from 0
 *     (no damping) to 1,000
 * @param depth how many candidates each search gives, at least as many as the limit
 * @param filter which memories to consider
 * @param effort how hard the search by vector tries; null for what suits the depth and the filter
 * @param headline how to mark the words in excerpts; null for no excerpts, which take longest of
 *     all
 */
public record FusedQuery(
    String text,
    Embedding embedding,
    int limit,
    WordMatch match,
    FusionMethod method,
    double textWeight,
    double lengthDamping,
    int depth,
    MemoryFilter filter,
    @Nullable SearchEffort effort,
    @Nullable Headline headline) {

  private static final int DEFAULT_DEPTH = 50;
  private static final double DEFAULT_TEXT_WEIGHT = 0.4;
  private static final double DEFAULT_DAMPING = 2;
  private static final double MOST_DAMPING = 1_000;

  /**
   * Checks the parts.
   *
   * @param text what to search for
   * @param embedding what to be near to
   * @param limit how many memories to find
   * @param match which memories match the text
   * @param method how the scores become one
   * @param textWeight the weight of the words
   * @param lengthDamping how much less the similarity of short texts counts
   * @param depth how many candidates each search gives
   * @param filter which memories to consider
   * @param effort how hard the search by vector tries; null for what suits the depth and the filter
   * @param headline how to mark the words in excerpts
   */
  public FusedQuery {
    MemoryChecks.queryText(text);
    Checks.notNull("embedding", embedding);
    MemoryChecks.limit("limit", limit);
    Checks.notNull("match", match);
    Checks.notNull("method", method);
    MemoryChecks.fraction("textWeight", textWeight);
    if (!(lengthDamping >= 0 && lengthDamping <= MOST_DAMPING)) {
      throw new InvalidInputException(
          "lengthDamping must be between 0 and 1,000, was " + lengthDamping);
    }
    MemoryChecks.depth(depth, limit);
    Checks.notNull("filter", filter);
  }

  /**
   * A search among all memories of a project, with the defaults.
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
        FusionMethod.CONVEX,
        DEFAULT_TEXT_WEIGHT,
        DEFAULT_DAMPING,
        Math.max(DEFAULT_DEPTH, limit),
        MemoryFilter.none(),
        null,
        null);
  }

  /**
   * The same with another way to match the text.
   *
   * @param match which memories match
   * @return another query
   */
  public FusedQuery withMatch(WordMatch match) {
    return new FusedQuery(
        text,
        embedding,
        limit,
        match,
        method,
        textWeight,
        lengthDamping,
        depth,
        filter,
        effort,
        headline);
  }

  /**
   * The same with another way to fuse.
   *
   * @param method how the scores become one
   * @return another query
   */
  public FusedQuery withMethod(FusionMethod method) {
    return new FusedQuery(
        text,
        embedding,
        limit,
        match,
        method,
        textWeight,
        lengthDamping,
        depth,
        filter,
        effort,
        headline);
  }

  /**
   * The same with other weights.
   *
   * @param textWeight the weight of the words, from 0 to 1
   * @return another query
   */
  public FusedQuery withTextWeight(double textWeight) {
    return new FusedQuery(
        text,
        embedding,
        limit,
        match,
        method,
        textWeight,
        lengthDamping,
        depth,
        filter,
        effort,
        headline);
  }

  /**
   * The same with another damping of short texts.
   *
   * @param lengthDamping from 0 to 1,000
   * @return another query
   */
  public FusedQuery withLengthDamping(double lengthDamping) {
    return new FusedQuery(
        text,
        embedding,
        limit,
        match,
        method,
        textWeight,
        lengthDamping,
        depth,
        filter,
        effort,
        headline);
  }

  /**
   * The same with more or fewer candidates.
   *
   * @param depth how many candidates each search gives
   * @return another query
   */
  public FusedQuery withDepth(int depth) {
    return new FusedQuery(
        text,
        embedding,
        limit,
        match,
        method,
        textWeight,
        lengthDamping,
        depth,
        filter,
        effort,
        headline);
  }

  /**
   * The same among fewer memories.
   *
   * @param filter which memories to consider
   * @return another query
   */
  public FusedQuery withFilter(MemoryFilter filter) {
    return new FusedQuery(
        text,
        embedding,
        limit,
        match,
        method,
        textWeight,
        lengthDamping,
        depth,
        filter,
        effort,
        headline);
  }

  /**
   * The same where the search by vector tries harder or less hard.
   *
   * @param effort how hard to try
   * @return another query
   */
  public FusedQuery withEffort(SearchEffort effort) {
    return new FusedQuery(
        text,
        embedding,
        limit,
        match,
        method,
        textWeight,
        lengthDamping,
        depth,
        filter,
        Checks.notNull("effort", effort),
        headline);
  }

  /**
   * The same with excerpts, see {@link FusedHit#headline}.
   *
   * @param headline how to mark the words in them
   * @return another query
   */
  public FusedQuery withHeadline(Headline headline) {
    return new FusedQuery(
        text,
        embedding,
        limit,
        match,
        method,
        textWeight,
        lengthDamping,
        depth,
        filter,
        effort,
        Checks.notNull("headline", headline));
  }
}
