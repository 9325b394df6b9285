package io.agentmemory.consolidation.dao;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/** Changes memories that are there. */
final class MemoryChanges {
  private static final String UPDATE =
      """
      update /* consolidation memories.update */ {memories} as m
      set {assignments},
        updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond')
      where project_id = :project and id = :id and updated_at = :expected
      returning {columns}""";

  /** Rows are locked in order of their ids, so that two calls never wait for each other. */
  private static final String COUNT_REUSE =
      """
      with /* consolidation memories.countReuse */ used as materialized (
        select m.id, asked.times
        from unnest(cast(:ids as varchar[]), cast(:times as int[])) as asked (id, times)
        join {memories} as m on m.id = asked.id
        where m.project_id = :project
        order by m.id
        for no key update of m
      )
      update {memories} as m
      set reuse_count = least(2147483647, cast(m.reuse_count as bigint) + used.times)
      from used
      where m.project_id = :project and m.id = used.id""";

  private record UpdateShape(String assignments, boolean withEmbedding) {}

  private MemoryChanges() {}

  static Optional<ConsolidatedMemory> update(
      MemorySession session, String projectId, String id, MemoryUpdate changes, Instant expected)
      throws SQLException {
    UpdateShape shape = new UpdateShape(changes.assignments(), session.withEmbeddings());
    try (Call call = session.prepare(shape, MemoryChanges::template)) {
      changes.bind(call);
      ResultSet row =
          call.text("project", projectId).text("id", id).time("expected", expected).query();
      return row.next()
          ? Optional.of(MemoryRow.read(row, 1, projectId, session.vectors()))
          : Optional.empty();
    } catch (SQLException e) {
      if (ContentTooLongException.causes(e)) {
        throw new ContentTooLongException("memory", id, e);
      }
      throw e;
    }
  }

  private static String template(UpdateShape shape) {
    return UPDATE
        .replace("{assignments}", shape.assignments)
        .replace("{columns}", MemoryRow.columns(shape.withEmbedding));
  }

  static int countReuse(MemorySession session, String projectId, Map<String, Integer> times)
      throws SQLException {
    try (Call call = session.prepare(COUNT_REUSE)) {
      return call.text("project", projectId)
          .texts("ids", times.keySet())
          .integers("times", times.values())
          .update();
    }
  }
}
