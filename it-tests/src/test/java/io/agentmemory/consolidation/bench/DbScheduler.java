package io.agentmemory.consolidation.bench;

import com.github.kagkarlsson.scheduler.Scheduler;
import com.github.kagkarlsson.scheduler.event.AbstractSchedulerListener;
import com.github.kagkarlsson.scheduler.task.ExecutionComplete;
import com.github.kagkarlsson.scheduler.task.helper.OneTimeTask;
import com.github.kagkarlsson.scheduler.task.helper.Tasks;
import com.zaxxer.hikari.HikariDataSource;
import io.agentmemory.consolidation.it.postgres.PostgresServer;
import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;

/**
 * One-time tasks of db-scheduler, which keeps no row of those that are done: one scheduler with as
 * many threads as there are to be claimers, which fetches a batch whenever it has room for one.
 */
final class DbScheduler implements JobQueue, AutoCloseable {
  private static final String TABLE =
      """
      create table scheduled_tasks (
        task_name text not null,
        task_instance text not null,
        task_data bytea,
        execution_time timestamp with time zone not null,
        picked boolean not null,
        picked_by text,
        last_success timestamp with time zone,
        last_failure timestamp with time zone,
        consecutive_failures int,
        last_heartbeat timestamp with time zone,
        version bigint not null,
        priority smallint,
        primary key (task_name, task_instance)
      );
      create index execution_time_idx on scheduled_tasks (execution_time);
      create index last_heartbeat_idx on scheduled_tasks (last_heartbeat)""";

  private static final String DUE =
      """
      insert into scheduled_tasks (task_name, task_instance, execution_time, picked, version)
      select 'job', 'job%d-' || i, now() - i * interval '1 ms', false, 1
      from generate_series(1, %d) as i""";

  private final ScratchDatabase database;
  private final HikariDataSource pool;
  private int fills;
  private int due;

  /** The pool has room for its poller and its heartbeats too. */
  DbScheduler(PostgresServer server, int mostClaimers) throws SQLException {
    database = server.freshDatabase("dbscheduler");
    try (Connection connection = database.dataSource().getConnection()) {
      MemoriesTable.execute(connection, TABLE);
    }
    pool = OurStore.pool(database, mostClaimers + 2);
  }

  @Override
  public String name() {
    return "db-scheduler";
  }

  @Override
  public void fill(int count) throws SQLException {
    due = count;
    try (Connection connection = database.dataSource().getConnection()) {
      MemoriesTable.execute(connection, DUE.formatted(fills++, count));
      MemoriesTable.execute(connection, "vacuum (analyze) scheduled_tasks");
    }
  }

  @Override
  public double drain(int claimers) throws Exception {
    CountDownLatch open = new CountDownLatch(due);
    OneTimeTask<Void> task = Tasks.oneTime("job").execute((instance, context) -> {});
    double most = Math.max(2 * BATCH, 4 * claimers);
    Scheduler scheduler =
        Scheduler.create(pool, task)
            .threads(claimers)
            .pollUsingLockAndFetch((most - BATCH) / claimers, most / claimers)
            .pollingInterval(Duration.ofMillis(10))
            .addSchedulerListener(
                new AbstractSchedulerListener() {
                  @Override
                  public void onExecutionComplete(ExecutionComplete complete) {
                    open.countDown();
                  }
                })
            .build();
    try {
      long start = System.nanoTime();
      scheduler.start();
      open.await();
      return MemoriesTable.seconds(start);
    } finally {
      scheduler.stop();
    }
  }

  @Override
  public void close() {
    pool.close();
    database.close();
  }
}
