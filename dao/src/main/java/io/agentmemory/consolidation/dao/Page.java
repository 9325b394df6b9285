package io.agentmemory.consolidation.dao;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One page of a longer list.
 *
 * @param <T> what is listed
 * @param items the page's items, in the list's order
 * @param next where the next page starts; null on the last page
 */
public record Page<T>(List<T> items, @Nullable PageRequest next) {

  /**
   * Keeps an unmodifiable copy of the items.
   *
   * @param items the page's items
   * @param next where the next page starts
   */
  public Page {
    items = List.copyOf(items);
  }
}
