package io.agentmemory.consolidation.dao;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The pairs of some of a project's memories, as {@link ConsolidatedMemoryDao#similarPairs} found
 * them.
 *
 * @param pairs the pairs, in order of their first ids, then the most similar first; there may be
 *     none though others follow on the next page
 * @param cutIds the memories that have more neighbours this similar than the query allows for one
 *     memory, so that only the nearest of them were looked at; also those that have 10,000 this
 *     similar, counting those that are left out because others have been consolidated from them,
 *     where an index was followed
 * @param strategies how the neighbours were found; empty where there was nothing to compare
 * @param next where the next page starts; null on the last page
 */
public record SimilarPairs(
    List<SimilarPair> pairs,
    List<String> cutIds,
    Set<SearchStrategy> strategies,
    @Nullable PageRequest next) {

  /**
   * Keeps unmodifiable copies.
   *
   * @param pairs the pairs
   * @param cutIds the memories of which not all neighbours were looked at
   * @param strategies how the neighbours were found
   * @param next where the next page starts
   */
  public SimilarPairs {
    pairs = List.copyOf(pairs);
    cutIds = List.copyOf(cutIds);
    strategies = Set.copyOf(strategies);
  }
}
