package io.agentmemory.consolidation.dao;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Which searches an HNSW index gives too few rows, so that every row was compared after up to
 * 20,000 entries of the index had been passed by.
 *
 * <p>Where there are fewer rows than asked for, that is so whatever they are to be near to. Where
 * there are enough, it may be that only this time they were too far away; so it takes three times
 * without another in between. What was found holds for ten seconds; it is no more than a choice
 * between two ways to the same rows. Thread-safe.
 */
final class InVain {
  private static final int TIMES = 3;
  private static final long VALID_FOR = TimeUnit.SECONDS.toNanos(10);
  private static final int MOST_KNOWN = 10_000;

  private record Search(String projectId, MemoryFilter filter, int limit) {}

  private record Found(int times, long until) {}

  private final Map<Search, Found> known = new ConcurrentHashMap<>();

  /** Whether the index was followed in vain within the last seconds, and is likely to be again. */
  boolean isKnown(String projectId, MemoryFilter filter, int limit) {
    if (known.isEmpty()) {
      return false;
    }
    Found found = known.get(new Search(projectId, filter, limit));
    return found != null && found.times >= TIMES && System.nanoTime() - found.until < 0;
  }

  /**
   * Takes note of how a search went.
   *
   * @param nearest how many rows it found in the end; the limit if that is not known
   */
  void seen(
      String projectId, MemoryFilter filter, int limit, SearchStrategy strategy, int nearest) {
    if (strategy == SearchStrategy.HNSW_THEN_EXACT) {
      if (known.size() >= MOST_KNOWN) {
        known.clear();
      }
      Found next = new Found(nearest < limit ? TIMES : 1, System.nanoTime() + VALID_FOR);
      known.merge(
          new Search(projectId, filter, limit),
          next,
          (before, now) -> new Found(Math.min(TIMES, before.times + now.times), now.until));
    } else if (strategy != SearchStrategy.EXACT && !known.isEmpty()) {
      known.remove(new Search(projectId, filter, limit));
    }
  }
}
