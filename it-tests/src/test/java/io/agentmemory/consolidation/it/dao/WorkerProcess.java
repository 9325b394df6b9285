package io.agentmemory.consolidation.it.dao;

import com.zaxxer.hikari.HikariDataSource;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.JobRun;
import io.agentmemory.consolidation.dao.JobWorker;
import io.agentmemory.consolidation.dao.JobWorkerOptions;
import io.agentmemory.consolidation.dao.LeaseLostException;
import io.agentmemory.consolidation.it.postgres.ForkedJvm;
import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import javax.sql.DataSource;

/**
 * A process of workers, which ends when its input does. What happens to a job is left to a chance
 * that is the same in every run: how long a phase takes, and whether the try fails after it. Each
 * phase writes a row into {@code written}, each try one into {@code tried}, and each lost lease
 * that a handler saw one into {@code lost}.
 */
public final class WorkerProcess {
  static final Duration LEASE = Duration.ofSeconds(2);

  /** How the ids of jobs begin that no try completes. */
  static final String DOOMED = "doomed";

  private static final int CONCURRENCY = 2;
  private static final int LONGEST_PHASE_MILLIS = 20;
  private static final int FAILS_ONE_IN = 20;

  private final DataSource pool;

  private WorkerProcess(DataSource pool) {
    this.pool = pool;
  }

  /** How many phases a job has: from two to four. */
  static int phases(String jobId) {
    return 2 + Math.floorMod(jobId.hashCode(), 3);
  }

  static Process start(ScratchDatabase database, int workers) throws IOException {
    return ForkedJvm.of(
            WorkerProcess.class,
            database.server(),
            database.jdbcUrl(),
            "off",
            String.valueOf(workers))
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  /** Its own argument: how many workers. */
  public static void main(String[] arguments) throws Exception {
    int count = Integer.parseInt(arguments[2]);
    JobWorkerOptions options =
        JobWorkerOptions.defaults()
            .withConcurrency(CONCURRENCY)
            .withPollInterval(Duration.ofMillis(50))
            .withLeaseTime(LEASE)
            .withBackoff(Duration.ofMillis(50), Duration.ofMillis(500));
    try (HikariDataSource pool = new HikariDataSource()) {
      pool.setDataSource(ForkedJvm.dataSource(arguments));
      pool.setMaximumPoolSize(count * (CONCURRENCY + 1));
      pool.setConnectionTimeout(5_000);
      pool.setInitializationFailTimeout(-1);
      Consolidation consolidation = Consolidation.on(pool, TestDatabase.SMALL);
      WorkerProcess process = new WorkerProcess(pool);
      List<JobWorker> workers = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        workers.add(JobWorker.start(consolidation, process::work, options, null));
      }
      while (System.in.read() != -1) {
        Thread.onSpinWait();
      }
      workers.forEach(JobWorker::close);
    }
  }

  private void work(JobRun run) throws Exception {
    String job = run.job().id();
    int retry = run.job().retryCount();
    note("insert into tried values (?)", job);
    Random chance = new Random(31L * job.hashCode() + retry);
    int phases = phases(job);
    try {
      for (int phase = 0; phase < phases; phase++) {
        int millis = chance.nextInt(LONGEST_PHASE_MILLIS);
        boolean fails = chance.nextInt(FAILS_ONE_IN) == 0;
        phase(run, "phase" + phase, millis);
        if (fails || (phase == phases - 2 && job.startsWith(DOOMED))) {
          throw new IllegalStateException("by chance");
        }
      }
    } catch (LeaseLostException | InterruptedException lost) {
      note("insert into lost values (?)", job);
      throw lost;
    }
  }

  private static void phase(JobRun run, String name, int millis) throws Exception {
    run.phase(
        name,
        () -> {
          Thread.sleep(millis);
          return run.job().id();
        },
        (joined, connection, job) -> {
          try (PreparedStatement insert =
              connection.prepareStatement("insert into written values (?, ?)")) {
            insert.setString(1, job);
            insert.setString(2, name);
            insert.executeUpdate();
          }
          return "{\"%s\": %d}".formatted(name, millis);
        });
  }

  private void note(String sql, String job) throws SQLException {
    try (Connection connection = pool.getConnection();
        PreparedStatement insert = connection.prepareStatement(sql)) {
      insert.setString(1, job);
      insert.executeUpdate();
    }
  }
}
