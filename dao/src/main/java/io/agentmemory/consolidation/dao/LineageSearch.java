package io.agentmemory.consolidation.dao;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Follows the lists of sources, in either direction. An id comes at most once for each distance, so
 * that cycles in the lists end with the distance that was asked for; the last distance followed is
 * one more, which tells whether something new is there.
 */
final class LineageSearch {
  static final int MOST_DISTANCE = 32;

  private static final String FOLLOW =
      """
      with /* consolidation memories.lineage */ recursive reached (id, distance) as (
        select cast(:id as varchar), 0
        union
        select next.id, reached.distance + 1
        from reached
        cross join lateral (
          {next}
          offset 0
        ) as next
        where reached.distance <= :distance
      )
      select step.id, step.distance, m.abstraction_level
      from (
        select id, min(distance) as distance from reached where id <> :id group by id
        order by min(distance), id collate "C" limit :most + 1
      ) as step
      left join lateral (
        select abstraction_level from {memories} as one
        where one.id = step.id and one.project_id = :project offset 0
      ) as m on true
      order by step.distance, step.id collate "C\"""";

  private static final String SOURCES =
      """
          select source.id
          from {memories} as one cross join unnest(one.source_memory_ids) as source (id)
          where one.id = reached.id and one.project_id = :project and source.id is not null""";

  private static final String DESCENDANTS =
      """
          select one.id from {memories} as one
          where one.project_id = :project
            and one.source_memory_ids @> cast(array[reached.id] as varchar[])""";

  /** Which way to go. */
  enum Direction {
    /** To what a memory was consolidated from. */
    SOURCES,
    /** To what was consolidated from it. */
    DESCENDANTS
  }

  private record Shape(Direction direction, boolean joined) {}

  private LineageSearch() {}

  private static String template(Shape shape) {
    String next = shape.direction == Direction.SOURCES ? SOURCES : DESCENDANTS;
    return Settings.PLAN.around(FOLLOW.replace("{next}", next), shape.joined);
  }

  static Lineage run(
      MemorySession session, Direction direction, String projectId, String id, int distance)
      throws SQLException {
    Shape shape = new Shape(direction, session.joined());
    List<LineageStep> steps = new ArrayList<>();
    boolean complete = true;
    try (Call call = session.prepare(shape, LineageSearch::template)) {
      ResultSet rows =
          call.text("project", projectId)
              .text("id", id)
              .integer("distance", distance)
              .integer("most", MemoryChecks.MOST_ROWS)
              .query(Settings.index(shape.joined));
      while (rows.next()) {
        if (rows.getInt(2) > distance || steps.size() == MemoryChecks.MOST_ROWS) {
          complete = false;
          break;
        }
        String step = rows.getString(1);
        int stepDistance = rows.getInt(2);
        int level = rows.getInt(3);
        steps.add(
            new LineageStep(
                step, stepDistance, rows.wasNull() ? null : AbstractionLevel.of(level)));
      }
    }
    return new Lineage(steps, complete);
  }
}
