package io.agentmemory.consolidation.dao;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * What a memory is consolidated from: task memories of the host, consolidated memories of a lower
 * or equal level, or both.
 *
 * @param taskMemoryIds ids of rows in the host's table
 * @param memoryIds ids of consolidated memories
 */
public record Sources(List<String> taskMemoryIds, List<String> memoryIds) {
  private static final int MOST = 10_000;

  /**
   * Checks the ids and keeps unmodifiable copies.
   *
   * @param taskMemoryIds ids of rows in the host's table
   * @param memoryIds ids of consolidated memories
   * @throws InvalidInputException if there are none or more than 10,000, or one occurs twice
   */
  public Sources {
    taskMemoryIds = Checks.ids("taskMemoryIds", taskMemoryIds);
    memoryIds = Checks.ids("memoryIds", memoryIds);
    int count = Checks.ids("sources", all(taskMemoryIds, memoryIds)).size();
    if (count == 0) {
      throw new InvalidInputException("sources must not be empty: name what it is made from");
    }
    if (count > MOST) {
      throw new InvalidInputException(
          "sources must be at most %,d, were %,d".formatted(MOST, count));
    }
  }

  /**
   * Task memories.
   *
   * @param ids ids of rows in the host's table
   * @return the sources
   */
  public static Sources ofTaskMemories(Collection<String> ids) {
    return new Sources(Checks.ids("taskMemoryIds", ids), List.of());
  }

  /**
   * Task memories.
   *
   * @param ids ids of rows in the host's table
   * @return the sources
   */
  public static Sources ofTaskMemories(String... ids) {
    return ofTaskMemories(Checks.list("taskMemoryIds", ids));
  }

  /**
   * Consolidated memories.
   *
   * @param ids their ids
   * @return the sources
   */
  public static Sources ofMemories(Collection<String> ids) {
    return new Sources(List.of(), Checks.ids("memoryIds", ids));
  }

  /**
   * Consolidated memories.
   *
   * @param ids their ids
   * @return the sources
   */
  public static Sources ofMemories(String... ids) {
    return ofMemories(Checks.list("memoryIds", ids));
  }

  /**
   * All ids: the lineage of what is consolidated from them.
   *
   * @return the task memories first, each kind in the order it was given in
   */
  public List<String> ids() {
    return List.copyOf(all(taskMemoryIds, memoryIds));
  }

  private static List<String> all(List<String> first, List<String> second) {
    List<String> all = new ArrayList<>(first);
    all.addAll(second);
    return all;
  }
}
