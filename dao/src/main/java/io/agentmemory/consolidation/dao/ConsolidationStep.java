package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.dao.InvalidSourcesException.Reason;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jdbi.v3.core.Handle;

/**
 * Consolidates sources into a memory, in one transaction at READ COMMITTED.
 *
 * <p>The sources are locked first, task memories before consolidated ones and each kind in the
 * order of its ids, so that two workers whose sources overlap wait for each other and never in a
 * circle. Whoever comes second then sees what the first has committed: in the rows of task memories
 * by their mark, for consolidated memories by a statement that begins after the locks were granted
 * and looks for their ids in other memories' lineage. Everything is checked before anything is
 * written.
 */
final class ConsolidationStep {
  private static final String LOCK_TASK_MEMORIES =
      """
      select /* consolidation consolidate */ {hostId}, is_consolidated,
        exists (select from {memories} as m where m.project_id = :project and m.id = {host}.{hostId})
      from {host}
      where {hostId} = any (:ids) and {hostProject} = :project
      order by {hostId}
      for no key update""";

  private static final String LOCK_MEMORIES =
      """
      select /* consolidation consolidate */ m.id, m.abstraction_level,
        exists (
          select from {host}
          where {hostId} = m.id and coalesce({hostProject}, m.project_id) = m.project_id),
        current_setting('transaction_isolation')
      from {memories} as m
      where m.project_id = :project and m.id = any (:ids)
      order by m.id
      for no key update""";

  private static final String CONSOLIDATED_ELSEWHERE =
      """
      select /* consolidation consolidate */ distinct source.id
      from {memories} as m cross join unnest(m.source_memory_ids) as source (id)
      where m.project_id = :project and m.source_memory_ids && :ids and source.id = any (:ids)
      order by source.id""";

  private static final String MARK =
      """
      update /* consolidation consolidate */
      {host} set is_consolidated = true, consolidated_into_id = :memory
      where {hostId} = any (:ids) and not is_consolidated and {hostProject} = :project""";

  private final Sql lockTaskMemories;
  private final Sql lockMemories;
  private final Sql consolidatedElsewhere;
  private final Sql mark;

  ConsolidationStep(Names names) {
    Map<String, String> fragments = HostColumns.fragments(names);
    lockTaskMemories = Sql.of(LOCK_TASK_MEMORIES, fragments);
    lockMemories = Sql.of(LOCK_MEMORIES, fragments);
    consolidatedElsewhere = Sql.of(CONSOLIDATED_ELSEWHERE, fragments);
    mark = Sql.of(MARK, fragments);
  }

  /** Checks what can be known before any I/O. */
  static void check(NewMemory memory, Sources sources, SchemaOptions options) {
    MemoryChecks.embedding(memory.embedding(), options);
    if (!memory.sourceMemoryIds().isEmpty()) {
      throw new InvalidInputException(
          "memory.sourceMemoryIds must be left out: it becomes the sources' ids");
    }
    if (memory.id() != null && sources.ids().contains(memory.id())) {
      throw new InvalidInputException(
          "memory.id must not be one of its sources, was " + Checks.quoted(memory.id()));
    }
    if (!sources.taskMemoryIds().isEmpty()) {
      TaskMemoryDao.checkMapping(options);
    }
  }

  ConsolidatedMemory run(
      Handle handle, ConsolidatedMemoryDao memories, NewMemory memory, Sources sources)
      throws SQLException {
    if (!sources.taskMemoryIds().isEmpty()) {
      lockTaskMemories(handle, memory.projectId(), sources.taskMemoryIds());
    }
    if (!sources.memoryIds().isEmpty()) {
      lockMemories(handle, memory, sources.memoryIds());
      checkLineage(handle, memory.projectId(), sources.memoryIds());
    }
    ConsolidatedMemory consolidated = memories.insert(handle, memory.withSources(sources.ids()));
    if (!sources.taskMemoryIds().isEmpty()) {
      mark(handle, consolidated, sources.taskMemoryIds());
    }
    return consolidated;
  }

  private void lockTaskMemories(Handle handle, String projectId, List<String> ids)
      throws SQLException {
    Set<String> found = new HashSet<>();
    List<String> consolidated = new ArrayList<>();
    List<String> ambiguous = new ArrayList<>();
    try (Call call = Call.prepare(handle, lockTaskMemories)) {
      ResultSet row = call.text("project", projectId).texts("ids", ids).query();
      while (row.next()) {
        String id = row.getString(1);
        found.add(id);
        if (row.getBoolean(2)) {
          consolidated.add(id);
        }
        if (row.getBoolean(3)) {
          ambiguous.add(id);
        }
      }
    }
    refuse(Reason.NOT_FOUND, "task memory ", missing(ids, found));
    refuse(Reason.AMBIGUOUS, "", ambiguous);
    if (!consolidated.isEmpty()) {
      throw new AlreadyConsolidatedException(consolidated);
    }
  }

  private void lockMemories(Handle handle, NewMemory memory, List<String> ids) throws SQLException {
    Set<String> found = new HashSet<>();
    List<String> moreAbstract = new ArrayList<>();
    List<String> ambiguous = new ArrayList<>();
    try (Call call = Call.prepare(handle, lockMemories)) {
      ResultSet row = call.text("project", memory.projectId()).texts("ids", ids).query();
      while (row.next()) {
        Checks.readCommitted(
            row.getString(4), "consolidated memories have been consolidated", "consolidate them");
        String id = row.getString(1);
        found.add(id);
        if (row.getInt(2) > memory.abstractionLevel().level()) {
          moreAbstract.add(id);
        }
        if (row.getBoolean(3)) {
          ambiguous.add(id);
        }
      }
    }
    refuse(Reason.NOT_FOUND, "consolidated memory ", missing(ids, found));
    refuse(Reason.AMBIGUOUS, "", ambiguous);
    refuse(Reason.MORE_ABSTRACT, "", moreAbstract);
  }

  private void checkLineage(Handle handle, String projectId, List<String> ids) throws SQLException {
    List<String> consolidated = new ArrayList<>();
    try (Call call = Call.prepare(handle, consolidatedElsewhere)) {
      ResultSet row = call.text("project", projectId).texts("ids", ids).query();
      while (row.next()) {
        consolidated.add(row.getString(1));
      }
    }
    if (!consolidated.isEmpty()) {
      throw new AlreadyConsolidatedException(consolidated);
    }
  }

  private void mark(Handle handle, ConsolidatedMemory into, List<String> ids) throws SQLException {
    try (Call call = Call.prepare(handle, mark)) {
      int marked =
          call.text("memory", into.id())
              .text("project", into.projectId())
              .texts("ids", ids)
              .update();
      if (marked != ids.size()) {
        throw new IllegalStateException(
            "Only %,d of %,d task memories could be marked: a trigger or rule of the host's table is in the way"
                .formatted(marked, ids.size()));
      }
    }
  }

  private static List<String> missing(List<String> ids, Set<String> found) {
    List<String> missing = new ArrayList<>(ids);
    missing.removeAll(found);
    return missing;
  }

  private static void refuse(Reason reason, String kind, List<String> ids) {
    if (!ids.isEmpty()) {
      throw new InvalidSourcesException(reason, kind, ids);
    }
  }
}
