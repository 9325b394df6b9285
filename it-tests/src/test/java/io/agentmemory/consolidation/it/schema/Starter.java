package io.agentmemory.consolidation.it.schema;

import io.agentmemory.consolidation.it.postgres.ForkedJvm;
import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.postgresql.ds.PGSimpleDataSource;

/** An application that starts: a JVM of its own in which threads upgrade at the same time. */
public final class Starter {
  private Starter() {}

  /** When a thread gives up waiting for the others; far longer than it takes them. */
  static final Duration DEADLINE = Duration.ofMinutes(3);

  /** Starts one. It prints a line for each thread: how many revisions it applied, and when. */
  static Process start(ScratchDatabase database, String name, int threads) throws IOException {
    return ForkedJvm.of(
            Starter.class,
            database.server(),
            database.jdbcUrl(),
            "error",
            name,
            String.valueOf(threads))
        .start();
  }

  /** Its own arguments: application name, threads. */
  public static void main(String[] arguments) throws Exception {
    PGSimpleDataSource dataSource = ForkedJvm.dataSource(arguments);
    dataSource.setApplicationName(arguments[2]);
    int threads = Integer.parseInt(arguments[3]);
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    List<Future<String>> lines = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      lines.add(pool.submit(() -> upgrade(dataSource)));
    }
    for (Future<String> line : lines) {
      System.out.println(line.get());
    }
    pool.shutdown();
  }

  /** What all threads of all starters do: an upgrade that builds indexes of small tables online. */
  private static String upgrade(PGSimpleDataSource dataSource) {
    long start = System.nanoTime();
    String result;
    try {
      int applied =
          Schema.on(dataSource)
              .withLargeTablesFrom(1 << 16)
              .withDeadline(DEADLINE)
              .upgrade()
              .applied()
              .size();
      result = String.valueOf(applied);
    } catch (SchemaException e) {
      result = e.getMessage().replace('\n', ' ');
    }
    return (System.nanoTime() - start) / 1_000_000 + " " + result;
  }
}
