package io.agentmemory.consolidation.bench;

import com.zaxxer.hikari.HikariDataSource;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationJob;
import io.agentmemory.consolidation.dao.ConsolidationJobDao;
import io.agentmemory.consolidation.it.postgres.PostgresServer;
import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import io.agentmemory.consolidation.schema.Schema;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** The library's jobs, of fifty projects, over a table with many that have come to their end. */
final class OurJobs implements AutoCloseable {
  private static final String INDEXES =
      """
      select indexname, indexdef from pg_indexes
      where tablename = 'consolidation_jobs' and indexname not like '%_pkey'""";

  /** Between the roots of a table's indexes and their leaves, all indexes together. */
  private static final String LEVELS =
      """
      select sum((bt_metap(cast(indexrelid as regclass)::text)).level) from pg_index
      where indrelid = 'consolidation_jobs'::regclass and indpred is null""";

  private static final String FINISHED =
      """
      insert into consolidation_jobs (id, project_id, status, trigger_type, scope, phases_completed,
        metrics, started_at, completed_at, duration_seconds, created_at)
      select 'finished' || i, 'p' || i %% 50,
        case when i %% 20 = 0 then 'failed' else 'completed' end, 'manual', '{}', '{find,merge,store}',
        '{"merged": 3}', at, at + interval '1 minute', 60, at - interval '1 minute'
      from generate_series(1, %1$d) as i
      cross join lateral (select now() - (%1$d - i) * interval '1 second' as at) as t""";

  private static final String PENDING =
      """
      insert into consolidation_jobs (id, project_id, status, trigger_type, created_at)
      select 'job%1$d-' || i, 'p' || i %% 50, 'pending', 'manual', now() - i * interval '1 ms'
      from generate_series(1, %2$d) as i""";

  /** What the README advises where jobs come by the thousand over many that have ended. */
  private static final String SETTING =
      "alter table consolidation_jobs set (vacuum_index_cleanup = on)";

  private final String name;
  private final ScratchDatabase database;
  private final HikariDataSource pool;
  private final ConsolidationJobDao jobs;
  private final long levels;
  private int fills;

  OurJobs(PostgresServer server, int finished, int mostClaimers) throws SQLException {
    name = "ours over %,d finished".formatted(finished);
    database = server.freshDatabase("jobs");
    Schema.on(database.dataSource(), OurStore.OPTIONS).upgrade();
    try (Connection connection = connect()) {
      Map<String, String> indexes = new LinkedHashMap<>();
      try (var statement = connection.createStatement();
          var found = statement.executeQuery(INDEXES)) {
        while (found.next()) {
          indexes.put(found.getString(1), found.getString(2));
        }
      }
      MemoriesTable.drop(connection, indexes.keySet());
      MemoriesTable.execute(connection, FINISHED.formatted(finished));
      for (String index : indexes.values()) {
        MemoriesTable.execute(connection, index);
      }
      MemoriesTable.execute(connection, SETTING);
      MemoriesTable.execute(connection, "vacuum (analyze) consolidation_jobs");
      MemoriesTable.execute(connection, "checkpoint");
      MemoriesTable.execute(connection, "create extension pageinspect");
      levels = MemoriesTable.number(connection, LEVELS);
    }
    pool = OurStore.pool(database, mostClaimers + 1);
    jobs = Consolidation.on(pool, OurStore.OPTIONS).jobs();
  }

  Connection connect() throws SQLException {
    return database.dataSource().getConnection();
  }

  /** How many levels its indexes have above their leaves, but for those of active jobs only. */
  long levels() {
    return levels;
  }

  /** What was claimed together is completed together; a connection for each claimer. */
  JobQueue together() {
    return new Drained(name, 0, this::completeTogether);
  }

  /** The same on one connection more, as db-scheduler has. */
  JobQueue togetherOnOneMore() {
    return new Drained(name + ", on as many connections", 1, this::completeTogether);
  }

  /** Each job is completed by a call of its own, on one connection more. */
  JobQueue oneByOneOnOneMore() {
    return new Drained(
        name + ", on as many connections, completed one by one",
        1,
        claimed -> claimed.forEach(job -> jobs.complete(job.lease(), "{}")));
  }

  private void completeTogether(List<ConsolidationJob> claimed) {
    jobs.completeOfAllProjects(
        claimed.stream().collect(Collectors.toMap(ConsolidationJob::lease, job -> "{}")));
  }

  @Override
  public void close() {
    pool.close();
    database.close();
  }

  private final class Drained implements JobQueue {
    private final String name;
    private final int more;
    private final Consumer<List<ConsolidationJob>> end;

    Drained(String name, int more, Consumer<List<ConsolidationJob>> end) {
      this.name = name;
      this.more = more;
      this.end = end;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public void fill(int count) throws SQLException {
      try (Connection connection = connect()) {
        MemoriesTable.execute(connection, PENDING.formatted(fills++, count));
        MemoriesTable.execute(connection, "vacuum (analyze) consolidation_jobs");
      }
    }

    @Override
    public double drain(int claimers) throws Exception {
      int connections = claimers + more;
      ExecutorService threads = Executors.newFixedThreadPool(connections);
      try {
        long start = System.nanoTime();
        List<Future<?>> all = new ArrayList<>();
        for (int connection = 0; connection < connections; connection++) {
          all.add(threads.submit(this::work));
        }
        for (Future<?> claimer : all) {
          claimer.get();
        }
        return MemoriesTable.seconds(start);
      } finally {
        threads.shutdownNow();
      }
    }

    private void work() {
      List<ConsolidationJob> claimed;
      do {
        claimed = jobs.claimOfAllProjects(BATCH);
        end.accept(claimed);
      } while (!claimed.isEmpty());
    }
  }
}
