package io.agentmemory.consolidation.dao;

import org.jspecify.annotations.Nullable;

/**
 * A memory found by its vector, its words, or both.
 *
 * @param memory the memory
 * @param score the fused score, from 0 to 1; compares hits of one query only
 * @param vectorRank its rank by vector, from 1; null where it is not among the candidates by vector
 * @param distance the cosine distance to the query; null where it has no embedding
 * @param textRank its rank by words, from 1; null where it is not among the candidates by words
 * @param textScore how well its words match, 0 where they do not
 * @param headline an excerpt with the words marked; null unless asked for
 */
public record FusedHit(
    ConsolidatedMemory memory,
    double score,
    @Nullable Integer vectorRank,
    @Nullable Double distance,
    @Nullable Integer textRank,
    double textScore,
    @Nullable String headline) {

  /**
   * The cosine similarity to the query.
   *
   * @return from 1 (same direction) to -1 (opposite); null where it has no embedding
   */
  public @Nullable Double similarity() {
    return distance == null ? null : 1 - distance;
  }
}
