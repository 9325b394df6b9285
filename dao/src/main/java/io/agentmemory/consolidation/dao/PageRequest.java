package io.agentmemory.consolidation.dao;

import org.jspecify.annotations.Nullable;

/**
 * Which page of a list to read. Pages are cut by the key of the last item, not by counting: rows
 * that come or go between two pages neither shift nor repeat the others.
 *
 * @param size at most so many items, from 1 to 10,000
 * @param after the key of the last item of the page before, as {@link Page#next} gives it; null:
 *     the first page
 */
public record PageRequest(int size, @Nullable String after) {

  /**
   * Checks the parts.
   *
   * @param size at most so many items
   * @param after the key of the last item of the page before
   */
  public PageRequest {
    Checks.between("size", size, 1, Checks.MAX_PAGE);
    Checks.textOrNull("after", after);
  }

  /**
   * The first page.
   *
   * @param size at most so many items
   * @return the request
   */
  public static PageRequest first(int size) {
    return new PageRequest(size, null);
  }
}
