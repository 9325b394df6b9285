package io.agentmemory.consolidation.dao;

import org.jspecify.annotations.Nullable;

/**
 * The ids of the rows that were sent last. The server may refuse a row while later ones are under
 * way; these are more than the buffers between it and us hold.
 */
final class RecentIds {
  private static final int SIZE = 1 << 16;

  private final @Nullable String[] ids = new @Nullable String[SIZE];
  private long count;

  void add(String id) {
    ids[(int) (count++ % SIZE)] = id;
  }

  /** The id of a row by its number, from 1; null if it is too long ago. */
  @Nullable String get(long number) {
    return number < 1 || number > count || number <= count - SIZE
        ? null
        : ids[(int) ((number - 1) % SIZE)];
  }
}
