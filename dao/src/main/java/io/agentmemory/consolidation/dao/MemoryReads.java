package io.agentmemory.consolidation.dao;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads memories by their ids, and a project's memories in pages. */
final class MemoryReads {
  private static final String FIND =
      """
      select /* consolidation memories.find */ {columns} from {memories} as m
      where m.project_id = :project and m.id = any (:ids){filter}""";

  private static final String LIST =
      """
      select /* consolidation memories.list */ {columns} from {memories} as m
      where project_id = :project and (created_at, id) < (:afterTime, :afterId){filter}
      order by created_at desc, id desc limit :limit""";

  private record FindShape(int filter, boolean withEmbedding) {}

  private record ListShape(int filter, boolean withEmbedding, boolean joined) {}

  private MemoryReads() {}

  static Optional<ConsolidatedMemory> find(MemorySession session, String projectId, String id)
      throws SQLException {
    return findAll(session, projectId, List.of(id)).stream().findFirst();
  }

  /** The memories that there are, in the order of the ids. */
  static List<ConsolidatedMemory> findAll(
      MemorySession session, String projectId, Collection<String> ids) throws SQLException {
    return findAll(session, projectId, ids, MemoryFilter.none());
  }

  /** Those of them that pass a filter. */
  static List<ConsolidatedMemory> findAll(
      MemorySession session, String projectId, Collection<String> ids, MemoryFilter filter)
      throws SQLException {
    FindShape shape = new FindShape(FilterSql.shape(filter), session.withEmbeddings());
    Map<String, ConsolidatedMemory> found = new HashMap<>();
    try (Call call = session.prepare(shape, MemoryReads::find)) {
      FilterSql.bind(filter, call);
      ResultSet rows = call.text("project", projectId).texts("ids", ids).query();
      while (rows.next()) {
        ConsolidatedMemory memory = MemoryRow.read(rows, 1, projectId, session.vectors());
        found.put(memory.id(), memory);
      }
    }
    List<ConsolidatedMemory> memories = new ArrayList<>(found.size());
    for (String id : ids) {
      ConsolidatedMemory memory = found.get(id);
      if (memory != null) {
        memories.add(memory);
      }
    }
    return memories;
  }

  private static String find(FindShape shape) {
    return FIND.replace("{columns}", MemoryRow.columns(shape.withEmbedding))
        .replace("{filter}", FilterSql.conditions(shape.filter));
  }

  /** One page, the newest first; one row more tells whether there is another page. */
  static Page<ConsolidatedMemory> list(
      MemorySession session, String projectId, MemoryFilter filter, PageRequest page)
      throws SQLException {
    ListShape shape =
        new ListShape(FilterSql.shape(filter), session.withEmbeddings(), session.joined());
    TimeKey after = TimeKey.after(page);
    try (Call call = session.prepare(shape, MemoryReads::list)) {
      FilterSql.bind(filter, call);
      ResultSet rows =
          call.text("project", projectId)
              .time("afterTime", after.time())
              .text("afterId", after.id())
              .integer("limit", page.size() + 1)
              .query(Settings.index(shape.joined));
      List<ConsolidatedMemory> memories = new ArrayList<>(Math.min(page.size(), 1_000));
      while (rows.next()) {
        memories.add(MemoryRow.read(rows, 1, projectId, session.vectors()));
      }
      return TimeKey.page(page, memories, memory -> new TimeKey(memory.createdAt(), memory.id()));
    }
  }

  private static String list(ListShape shape) {
    String list =
        LIST.replace("{columns}", MemoryRow.columns(shape.withEmbedding))
            .replace("{filter}", FilterSql.conditions(shape.filter));
    return Settings.PLAN.around(list, shape.joined);
  }
}
