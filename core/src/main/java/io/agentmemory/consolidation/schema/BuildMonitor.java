package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.schema.Runner.Connections;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports on the builds of one session to a listener, from a thread and a connection of its own. If
 * there is no other connection, there are no reports but the last ones.
 */
final class BuildMonitor implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(BuildMonitor.class);
  private static final long INTERVAL_MILLIS = 250;
  private static final long LONGEST_END_MILLIS = 1_000;

  private final Connections connections;
  private final @Nullable ProgressListener listener;
  private final String pid;
  private final Thread thread = new Thread(this::watch, "consolidation-index-progress");

  private @Nullable String index;
  private Stopwatch build = Stopwatch.start();
  private String phase = "";
  private Stopwatch inPhase = build;
  private long phaseBeganAt;

  private BuildMonitor(Connections connections, @Nullable ProgressListener listener, String pid) {
    this.connections = connections;
    this.listener = listener;
    this.pid = pid;
    thread.setDaemon(true);
  }

  static BuildMonitor start(Session session, Connections connections, Online online) {
    String pid = String.valueOf(session.value("see the process", "SELECT pg_backend_pid()"));
    Connections own = online.direct() == null ? connections : online.direct()::getConnection;
    BuildMonitor monitor = new BuildMonitor(own, online.listener(), pid);
    if (online.listener() != null) {
      monitor.thread.start();
    }
    return monitor;
  }

  synchronized void begin(String name) {
    index = name;
    build = Stopwatch.start();
    phase = "";
  }

  synchronized void end() {
    if (index != null) {
      report(new BuildProgress(index, BuildProgress.FINISHED, "", 0, 0, 0, null, build.elapsed()));
    }
    index = null;
  }

  @Override
  public void close() {
    synchronized (this) {
      index = null;
    }
    thread.interrupt();
    try {
      thread.join(LONGEST_END_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void watch() {
    try (Connection connection = connections.get()) {
      connection.setAutoCommit(true);
      Session session = new Session(connection);
      while (!Thread.currentThread().isInterrupted()) {
        look(session);
        Thread.sleep(INTERVAL_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (SQLException | SchemaException e) {
      LOG.debug("No progress is reported", e);
    }
  }

  private void look(Session session) {
    List<@Nullable String> row =
        session.row(
            "read the progress",
            """
            SELECT phase, blocks_done, blocks_total, tuples_done, tuples_total,
              lockers_done, lockers_total
            FROM pg_catalog.pg_stat_progress_create_index
            WHERE pid OPERATOR(pg_catalog.=) %s
            """
                .formatted(pid));
    if (!row.isEmpty()) {
      take(row);
    }
  }

  private synchronized void take(List<@Nullable String> row) {
    if (index == null) {
      return;
    }
    String now = String.valueOf(row.get(0));
    int at = now.startsWith("waiting") ? 5 : number(row, 2) > 0 && !now.contains("tuple") ? 1 : 3;
    long done = number(row, at);
    long total = number(row, at + 1);
    if (!now.equals(phase)) {
      phase = now;
      inPhase = Stopwatch.start();
      phaseBeganAt = done;
    }
    double seconds = inPhase.millis() / 1000.0;
    double rate = seconds > 0 ? Math.max(0, done - phaseBeganAt) / seconds : 0;
    Duration left =
        rate > 0 && total >= done ? Duration.ofMillis((long) ((total - done) / rate * 1000)) : null;
    String unit = at == 5 ? "transactions" : at == 1 ? "blocks" : "tuples";
    report(
        new BuildProgress(
            index, now, total > 0 ? unit : "", done, total, rate, left, build.elapsed()));
  }

  private void report(BuildProgress progress) {
    if (listener != null) {
      try {
        listener.progress(progress);
      } catch (RuntimeException e) {
        LOG.atWarn()
            .addKeyValue("index", index)
            .setCause(e)
            .log("The progress listener failed; it is told no more");
        index = null;
      }
    }
  }

  private static long number(List<@Nullable String> row, int column) {
    String text = row.get(column);
    return text == null ? 0 : Long.parseLong(text);
  }
}
