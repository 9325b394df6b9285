package io.agentmemory.consolidation.dao;

import java.util.List;

/**
 * What a search found: as many hits as were asked for, or all that match where those are fewer.
 *
 * @param <H> the kind of hit
 * @param hits the hits, the best first; equally good ones in order of their ids
 * @param strategy how vectors were searched
 * @param onlyStopWords whether the text of the query has no word to search for ("the", "of", …), so
 *     that it matches nothing
 */
public record SearchResult<H>(List<H> hits, SearchStrategy strategy, boolean onlyStopWords) {

  /**
   * Keeps an unmodifiable copy of the hits.
   *
   * @param hits the hits
   * @param strategy how vectors were searched
   * @param onlyStopWords whether the text of the query has no word to search for ("the"
   */
  public SearchResult {
    hits = List.copyOf(hits);
  }
}
