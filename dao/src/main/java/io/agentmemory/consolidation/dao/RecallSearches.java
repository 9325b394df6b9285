package io.agentmemory.consolidation.dao;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The reads of one run of a {@link RecallProbe}, none of which goes on when its time is over. */
final class RecallSearches {
  private static final int PROJECTS_OF_A_SIZE = 3;

  /** Those that come first in an order that has nothing to do with them. */
  private static final String SOME_PROJECTS =
      """
      select /* consolidation recall.sample */ project_id, n
      from (
        select project_id, n, row_number() over (
          partition by case when n <= 1000 then 1 when n <= 10000 then 2
            when n <= 100000 then 3 else 4 end
          order by md5(project_id)) as place
        from (select project_id, count(*) as n from {memories} group by project_id) as counted
      ) as placed
      where place <= :most
      order by n, project_id""";

  private static final String SIZE =
      "select /* consolidation recall.sample */ project_id, count(*) from {memories} where project_id = :project group by project_id";

  private static final String SOME_MEMORIES =
      """
      select /* consolidation recall.sample */ id from {memories}
      where project_id = :project and embedding is not null
      order by md5(id), id limit :most""";

  private final Consolidation consolidation;
  private final int limit;
  private final long end;
  private int measured;

  RecallSearches(Consolidation consolidation, int limit, Duration deadline) {
    this.consolidation = consolidation;
    this.limit = limit;
    this.end =
        System.nanoTime()
            + Math.min(deadline.toSeconds(), 86_400) * 1_000_000_000L
            + deadline.toNanosPart();
  }

  /** A project and how many memories it has. */
  record Project(String id, long memories) {}

  boolean isOver() {
    return System.nanoTime() - end >= 0;
  }

  /** A view with the time that is left. */
  private Consolidation inTime() {
    return consolidation.withTimeout(Duration.ofNanos(Math.max(1, end - System.nanoTime())));
  }

  /** These projects, or some of each size, the smallest first. */
  List<Project> projects(@Nullable List<String> ids) {
    Read<Project> project = row -> new Project(row.getString(1), row.getLong(2));
    if (ids == null) {
      return read(null, SOME_PROJECTS, call -> call.integer("most", PROJECTS_OF_A_SIZE), project);
    }
    List<Project> projects = new ArrayList<>();
    ids.forEach(id -> projects.addAll(read(id, SIZE, call -> call.text("project", id), project)));
    return projects;
  }

  /**
   * Some of a project's memories that have an embedding, the same ones each time, less those whose
   * embedding others wrote as zero, which is near to nothing.
   */
  List<ConsolidatedMemory> sample(Project project, int most) {
    List<String> ids =
        read(
            project.id(),
            SOME_MEMORIES,
            call -> call.text("project", project.id()).integer("most", most),
            row -> row.getString(1));
    return inTime().memories().withEmbeddings().findAll(project.id(), ids).stream()
        .filter(memory -> hasDirection(memory.embedding()))
        .toList();
  }

  private static boolean hasDirection(@Nullable Embedding embedding) {
    if (embedding != null) {
      for (float value : embedding.values()) {
        if (value != 0) {
          return true;
        }
      }
    }
    return false;
  }

  /** Sets the parameters of a call. */
  private interface Bind {
    Call to(Call call) throws SQLException;
  }

  /** Reads one row. */
  private interface Read<T> {
    T row(ResultSet row) throws SQLException;
  }

  private <T> List<T> read(@Nullable String projectId, String template, Bind bind, Read<T> read) {
    Database database = inTime().database();
    return (projectId == null ? database : database.of(projectId))
        .read(
            "recall.sample",
            handle -> {
              SqlCache statements =
                  database.statements(handle.getConnection(), SqlCache.class, SqlCache::of);
              List<T> found = new ArrayList<>();
              try (Call call = Call.prepare(handle, statements.get(template))) {
                ResultSet rows = bind.to(call).query();
                while (rows.next()) {
                  found.add(read.row(rows));
                }
              }
              return found;
            });
  }

  /**
   * Searches for a memory's embedding exactly and with each effort, in another order each time so
   * that none profits from what the one before it read.
   */
  void measure(ConsolidatedMemory memory, RecallTally tally) {
    Embedding embedding = Checks.notNull("embedding", memory.embedding());
    VectorQuery query = VectorQuery.of(embedding, limit + 1);
    int ways = RecallTally.EFFORTS.size() + 1;
    RecallTally.Sample sample = new RecallTally.Sample(memory.id());
    for (int i = 0; i < ways; i++) {
      int way = (i + measured) % ways;
      VectorQuery asked = query.exactly();
      if (way > 0) {
        SearchEffort effort = RecallTally.EFFORTS.get(way - 1);
        asked = effort == null ? query : query.withEffort(effort);
      }
      long start = System.nanoTime();
      SearchResult<VectorHit> result =
          inTime().memories().searchByVector(memory.projectId(), asked);
      sample.add(way, result, System.nanoTime() - start);
    }
    measured++;
    tally.add(sample);
  }
}
