package io.agentmemory.consolidation.dao;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Deletes memories, with what hangs on them. Memories are locked in the order of their ids, as
 * consolidations and counts lock them.
 *
 * <p>A memory's lineage is its own list of sources, the marks of the task memories consolidated
 * into it, and the lists of the memories consolidated from it. An id in such a list that stands for
 * a task memory of the same name is none of the memory's business.
 */
final class MemoryDeletes {
  /** A consolidation locks its sources too: after this, nobody can come to depend on it. */
  private static final String LOCK =
      """
      select /* consolidation memories.delete */
        cardinality(source_memory_ids), current_setting('transaction_isolation'), true
      from {memories}
      where project_id = :project and id = :id
      for update""";

  private static final String DEPENDENT =
      """
      project_id = :project
        and source_memory_ids @> cast(array[:id] as varchar[])
        and not exists (
          select from {host}
          where {hostId} = :id and consolidated_into_id = m.id
            and coalesce(cast({hostProject} as text), :project) = :project)""";

  /** The memory and those that were consolidated from it, as {@link #LOCK} has the memory alone. */
  private static final String LOCK_WITH_DEPENDENTS =
      """
      select /* consolidation memories.delete */
        cardinality(m.source_memory_ids), current_setting('transaction_isolation'), m.id = :id
      from {memories} as m
      where m.project_id = :project and (m.id = :id or\s"""
          + DEPENDENT
          + """
      )
      order by m.id
      for update""";

  private static final String MARKED =
      """
      consolidated_into_id = :id and coalesce(cast({hostProject} as text), :project) = :project""";

  private static final String IN_USE =
      "select /* consolidation memories.delete */ array(select m.id from {memories} as m where "
          + DEPENDENT
          + " order by m.id), exists (select from {host} where "
          + MARKED
          + ")";

  private static final String DETACH_DEPENDENTS =
      """
      update /* consolidation memories.delete */ {memories} as m
      set source_memory_ids = array_remove(source_memory_ids, :id),
        source_count = cardinality(array_remove(source_memory_ids, :id)),
        updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond')
      where\s"""
          + DEPENDENT;

  private static final String UNMARK =
      """
      update /* consolidation memories.delete */
      {host} set is_consolidated = false, consolidated_into_id = null
      where consolidated_into_id = any (:ids)
        and coalesce(cast({hostProject} as text), :project) = :project""";

  private static final String DELETE =
      "delete /* consolidation memories.delete */ from {memories} where project_id = :project and id = :id";

  private static final String PICK =
      "select /* consolidation memories.delete */ id from {memories} where project_id = :project limit :limit";

  private static final String DELETE_PICKED =
      """
      with /* consolidation memories.delete */ doomed as materialized (
        select id from {memories} where project_id = :project and id = any (:ids)
        order by id for update
      )
      delete from {memories} as m using doomed
      where m.project_id = :project and m.id = doomed.id
      returning m.id""";

  private MemoryDeletes() {}

  /** Deletes one memory, in a transaction. */
  static boolean delete(MemorySession session, String projectId, String id, OnLineage onLineage)
      throws SQLException {
    String lock = onLineage == OnLineage.REFUSE ? LOCK : LOCK_WITH_DEPENDENTS;
    Integer sources = sources(session, lock, projectId, id, "delete");
    if (sources == null) {
      return false;
    }
    if (onLineage == OnLineage.REFUSE) {
      Use use = use(session, projectId, id);
      if (!use.dependents.isEmpty() || use.marked || sources > 0) {
        throw new MemoryInUseException(
            id,
            use.dependents,
            (use.dependents.isEmpty()
                    ? "it was consolidated from others"
                    : "others were consolidated from it, " + Checks.some(use.dependents))
                + ". To take it out of its lineage first, use OnLineage.DETACH");
      }
    } else {
      try (Call call = session.prepare(DETACH_DEPENDENTS)) {
        call.text("project", projectId).text("id", id).update();
      }
      unmark(session, projectId, List.of(id));
    }
    return remove(session, projectId, id);
  }

  /** Locks a memory and tells how many sources it has; null where there is none. */
  private static @Nullable Integer sources(
      MemorySession session, String lock, String projectId, String id, String call)
      throws SQLException {
    Integer sources = null;
    try (Call locking = session.prepare(lock)) {
      ResultSet rows = locking.text("project", projectId).text("id", id).query();
      while (rows.next()) {
        Checks.readCommitted(
            rows.getString(2), "others have been consolidated from the memory", call);
        if (rows.getBoolean(3)) {
          sources = rows.getInt(1);
        }
      }
    }
    return sources;
  }

  private static boolean remove(MemorySession session, String projectId, String id)
      throws SQLException {
    try (Call call = session.prepare(DELETE)) {
      return call.text("project", projectId).text("id", id).update() == 1;
    }
  }

  /** What hangs on a memory: those consolidated from it, and whether it marks a task memory. */
  private record Use(List<String> dependents, boolean marked) {}

  private static Use use(MemorySession session, String projectId, String id) throws SQLException {
    try (Call call = session.prepare(IN_USE)) {
      ResultSet row = call.text("project", projectId).text("id", id).query();
      row.next();
      return new Use(List.of((String[]) row.getArray(1).getArray()), row.getBoolean(2));
    }
  }

  /** Undoes a consolidation, in a transaction. */
  static Optional<ConsolidatedMemory> undo(MemorySession session, String projectId, String id)
      throws SQLException {
    Integer sources = sources(session, LOCK, projectId, id, "undo");
    if (sources == null || sources == 0) {
      return Optional.empty();
    }
    List<String> dependents = use(session, projectId, id).dependents;
    if (!dependents.isEmpty()) {
      throw new MemoryInUseException(
          id,
          dependents,
          "others were consolidated from it, %s: undo these first"
              .formatted(Checks.some(dependents)));
    }
    Optional<ConsolidatedMemory> memory = MemoryReads.find(session, projectId, id);
    unmark(session, projectId, List.of(id));
    remove(session, projectId, id);
    return memory;
  }

  /**
   * Deletes some of a project's memories, in a transaction, and says how many; 0 if none is left.
   */
  static int deleteBatch(MemorySession session, String projectId, int limit) throws SQLException {
    while (true) {
      List<String> picked;
      try (Call call = session.prepare(PICK)) {
        picked = ids(call.text("project", projectId).integer("limit", limit));
      }
      if (picked.isEmpty()) {
        return 0;
      }
      List<String> deleted;
      try (Call call = session.prepare(DELETE_PICKED)) {
        deleted = ids(call.text("project", projectId).texts("ids", picked));
      }
      if (!deleted.isEmpty()) { // else others have deleted all that were picked
        unmark(session, projectId, deleted);
        return deleted.size();
      }
    }
  }

  private static List<String> ids(Call call) throws SQLException {
    List<String> ids = new ArrayList<>();
    ResultSet rows = call.query();
    while (rows.next()) {
      ids.add(rows.getString(1));
    }
    return ids;
  }

  private static void unmark(MemorySession session, String projectId, List<String> ids)
      throws SQLException {
    try (Call call = session.prepare(UNMARK)) {
      call.text("project", projectId).texts("ids", ids).update();
    }
  }
}
