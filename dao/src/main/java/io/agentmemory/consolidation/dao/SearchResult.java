package io.agentmemory.consolidation.dao;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a search found: as many hits as were asked for, or all that match where those are fewer,
 * less those that the caller's own limits left out.
 *
 * @param <H> the kind of hit
 * @param hits the hits, the best first; equally good ones in order of their ids, by the bytes of
 *     their UTF-8 ({@code collate "C"}), whatever the database's collation
 * @param strategy how vectors were searched
 * @param onlyStopWords whether the text of the query has no word to search for ("the", "of", …), so
 *     that it matches nothing
 * @param candidates how many candidates the index collected at a time; null where it was not used,
 *     or the number is not known
 * @param cutByDistance whether the caller's largest distance left out memories that are among the
 *     nearest
 */
public record SearchResult<H>(
    List<H> hits,
    SearchStrategy strategy,
    boolean onlyStopWords,
    @Nullable Integer candidates,
    boolean cutByDistance) {

  /**
   * Keeps an unmodifiable copy of the hits.
   *
   * @param hits the hits
   * @param strategy how vectors were searched
   * @param onlyStopWords whether the text of the query has no word to search for
   * @param candidates how many candidates the index collected at a time, or null
   * @param cutByDistance whether the caller's largest distance left out some of the nearest
   */
  public SearchResult {
    hits = List.copyOf(hits);
  }

  /** A result of which no candidates are known and that no distance has cut. */
  SearchResult(List<H> hits, SearchStrategy strategy, boolean onlyStopWords) {
    this(hits, strategy, onlyStopWords, null, false);
  }
}
