package io.agentmemory.consolidation.bench;

import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import io.agentmemory.consolidation.schema.Schema;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the indexes beyond those of {@code consolidation_001} cost the writers of jobs and of task
 * memories; those on the memories are in {@link IngestSection}.
 */
final class WriteCostSection {
  private static final String INDEXES =
      """
      select indexname, indexdef from pg_indexes
      where tablename = '%s' and not indexname = any (%s) and indexname not like '%%_pkey'
      order by indexname""";

  private static final String FIRST =
      "array['idx_cj_project_status', 'idx_cj_created', 'idx_cj_trigger_type',"
          + " 'idx_tm_consolidated', 'idx_tm_consolidated_into']";

  private static final String INSERT_JOBS =
      """
      insert into consolidation_jobs (id, project_id, status, trigger_type, created_at)
      select 'j' || i, 'p' || i %% 50, 'pending', 'manual', now() - i * interval '1 second'
      from generate_series(1, %d) as i""";

  private static final String CHANGE_JOBS =
      """
      update consolidation_jobs set status = 'running', started_at = now(), heartbeat_at = now();
      update consolidation_jobs set status = 'completed', completed_at = now()""";

  private static final String INSERT_TASKS =
      """
      insert into task_memories (id, project_id, task_id, execution_summary, success)
      select 't' || i, 'p' || i %% 50, 't', 'what was done', true
      from generate_series(1, %d) as i""";

  private static final String CHANGE_TASKS =
      "update task_memories set is_consolidated = true, consolidated_into_id = 'm'";

  private static final String NONE = "consolidation_001";

  private final Bench bench;
  private final int rows;

  WriteCostSection(Bench bench) {
    this.bench = bench;
    this.rows = bench.settings().quick() ? 2_000 : 20_000;
  }

  void run() throws Exception {
    bench
        .report()
        .text(
            ("%,d rows written by one statement, then changed by another as in their lives: jobs"
                    + " claimed, then completed; task memories consolidated.")
                .formatted(rows));
    Table table = new Table("indexes", "inserted/s", "µs more a row", "changed/s", "µs more a row");
    try (ScratchDatabase database = bench.server().freshDatabase("writes")) {
      Schema.on(database.dataSource(), OurStore.OPTIONS).upgrade();
      try (Connection connection = database.dataSource().getConnection()) {
        measure(connection, "consolidation_jobs", INSERT_JOBS, CHANGE_JOBS, table);
        measure(connection, "task_memories", INSERT_TASKS, CHANGE_TASKS, table);
      }
    }
    bench.report().table(table);
  }

  /** Rows a second of both statements, round by round. */
  private record Rates(List<Double> inserted, List<Double> changed) {
    Rates() {
      this(new ArrayList<>(), new ArrayList<>());
    }
  }

  private void measure(
      Connection connection, String name, String insert, String change, Table table)
      throws Exception {
    bench.log().say("writes: " + name);
    Map<String, String> further = new LinkedHashMap<>();
    try (var statement = connection.createStatement();
        var found = statement.executeQuery(INDEXES.formatted(name, FIRST))) {
      while (found.next()) {
        further.put(found.getString(1), found.getString(2));
      }
    }
    Map<String, List<String>> ways = new LinkedHashMap<>();
    ways.put(NONE, List.of());
    further.keySet().forEach(index -> ways.put("and " + index, List.of(index)));
    if (further.size() > 1) {
      ways.put("and all", List.copyOf(further.keySet()));
    }
    Map<String, Rates> rates = new LinkedHashMap<>();
    ways.keySet().forEach(way -> rates.put(way, new Rates()));
    List<String> order = new ArrayList<>(ways.keySet());
    MemoriesTable.drop(connection, further.keySet());
    for (int round = 0; round < bench.settings().rounds(); round++) {
      for (String way : order) {
        MemoriesTable.execute(connection, "truncate " + name);
        for (String index : ways.get(way)) {
          MemoriesTable.execute(connection, further.get(index));
        }
        MemoriesTable.execute(connection, "checkpoint");
        rates.get(way).inserted.add(rate(connection, insert.formatted(rows)));
        rates.get(way).changed.add(rate(connection, change));
        MemoriesTable.drop(connection, ways.get(way));
      }
      Collections.rotate(order, 1);
    }
    Spread insertedBase = Spread.of(rates.get(NONE).inserted);
    Spread changedBase = Spread.of(rates.get(NONE).changed);
    rates.forEach(
        (way, rate) -> {
          Spread inserted = Spread.of(rate.inserted);
          Spread changed = Spread.of(rate.changed);
          table.row(
              name + ": " + way,
              inserted,
              more(insertedBase, inserted),
              changed,
              more(changedBase, changed));
        });
  }

  private double rate(Connection connection, String sql) throws Exception {
    long start = System.nanoTime();
    MemoriesTable.execute(connection, sql);
    return rows / MemoriesTable.seconds(start);
  }

  /** Microseconds that a row takes longer. */
  private static String more(Spread base, Spread rate) {
    return "%.1f".formatted(1e6 / rate.median() - 1e6 / base.median());
  }
}
