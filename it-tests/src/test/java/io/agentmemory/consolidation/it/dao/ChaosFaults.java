package io.agentmemory.consolidation.it.dao;

import io.agentmemory.consolidation.it.postgres.PostgresServer;
import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * Three processes with eight workers, and a schedule of faults that a seed determines: each strikes
 * once so many jobs have come to their end.
 */
final class ChaosFaults implements AutoCloseable {
  private enum Fault {
    TERMINATE,
    KILL,
    FREEZE,
    RESTART
  }

  private static final List<Integer> WORKERS = List.of(3, 3, 2);
  private static final Duration FROZEN = WorkerProcess.LEASE.plusSeconds(1);

  private final PostgresServer server;
  private final ScratchDatabase database;
  private final int jobs;
  private final Random chance;
  private final List<Fault> schedule;
  private final Map<Fault, Integer> struck = new EnumMap<>(Fault.class);
  private final List<Process> processes = new ArrayList<>();
  private int frozen = -1;
  private long thaw;

  ChaosFaults(PostgresServer server, ScratchDatabase database, int jobs, long seed) {
    this.server = server;
    this.database = database;
    this.jobs = jobs;
    this.chance = new Random(seed);
    this.schedule = new ArrayList<>();
    schedule.addAll(Collections.nCopies(Math.max(20, jobs / 10), Fault.TERMINATE));
    schedule.addAll(Collections.nCopies(Math.max(3, jobs / 200), Fault.KILL));
    schedule.addAll(Collections.nCopies(Math.max(1, jobs / 600), Fault.FREEZE));
    Collections.shuffle(schedule, chance);
    schedule.add(schedule.size() / 3, Fault.RESTART);
    schedule.add(schedule.size() * 2 / 3, Fault.RESTART);
  }

  void runUntilAllJobsHaveEnded() throws Exception {
    for (int workers : WORKERS) {
      processes.add(WorkerProcess.start(database, workers));
    }
    int next = 0;
    int ended = 0;
    while (ended < jobs) {
      if (frozen >= 0 && System.nanoTime() - thaw >= 0) {
        signal("CONT", processes.get(frozen));
        frozen = -1;
      }
      ended = ended();
      if (next < schedule.size() && ended >= (long) next * jobs * 9 / 10 / schedule.size()) {
        strike(schedule.get(next++));
      }
      Thread.sleep(10);
    }
  }

  private int ended() throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      return Integer.parseInt(
          TestDatabase.rows(
                  connection,
                  "select count(*) from consolidation_jobs where status not in ('pending', 'running')")
              .get(0));
    }
  }

  private void strike(Fault fault) throws Exception {
    int victim = chance.nextInt(processes.size());
    switch (fault) {
      case TERMINATE -> terminate(chance.nextDouble());
      case KILL -> {
        processes.get(victim).destroyForcibly().waitFor();
        processes.set(victim, WorkerProcess.start(database, WORKERS.get(victim)));
        frozen = frozen == victim ? -1 : frozen;
      }
      case FREEZE -> {
        if (frozen >= 0) {
          signal("CONT", processes.get(frozen));
        }
        signal("STOP", processes.get(victim));
        frozen = victim;
        thaw = System.nanoTime() + FROZEN.toNanos();
      }
      case RESTART -> server.crash();
    }
    struck.merge(fault, 1, Integer::sum);
  }

  private void terminate(double which) throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      TestDatabase.rows(
          connection,
          """
          select pg_terminate_backend(pid) from (
            select pid, row_number() over (order by backend_start, pid) - 1 as n,
              count(*) over () as backends
            from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()
              and backend_type = 'client backend'
          ) as b where n = floor(%s * backends)
          """
              .formatted(which));
    }
  }

  private static void signal(String name, Process process)
      throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid())).start().waitFor();
  }

  /** Ends the processes as an application would, and gives their exit codes. */
  List<Integer> endWorkers() throws Exception {
    if (frozen >= 0) {
      signal("CONT", processes.get(frozen));
    }
    List<Integer> codes = new ArrayList<>();
    for (Process process : processes) {
      process.getOutputStream().close();
    }
    for (Process process : processes) {
      codes.add(process.waitFor(60, TimeUnit.SECONDS) ? process.exitValue() : -1);
    }
    return codes;
  }

  int kills() {
    return struck.getOrDefault(Fault.KILL, 0);
  }

  int terminations() {
    return struck.getOrDefault(Fault.TERMINATE, 0);
  }

  int restarts() {
    return struck.getOrDefault(Fault.RESTART, 0);
  }

  @Override
  public void close() {
    processes.forEach(Process::destroyForcibly);
  }

  @Override
  public String toString() {
    return struck.toString();
  }
}
