package io.agentmemory.consolidation.bench;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import javax.sql.DataSource;

/** An application at work on its table: clients that write, and clients that read, at a pace. */
final class PacedLoad {
  private static final int CLIENTS_OF_EACH = 2;

  private static final List<String> WRITES =
      List.of(
          "insert into task_memories values ('n' || md5(?::text || clock_timestamp()::text), 'p',"
              + " 't', repeat('x', 384), true)",
          "update task_memories set success = not success where id = 'm' || ?");

  private static final List<String> READS =
      List.of("select execution_summary from task_memories where id = 'm' || ?");

  private final DataSource dataSource;
  private final int rows;

  PacedLoad(DataSource dataSource, int rows) {
    this.dataSource = dataSource;
    this.rows = rows;
  }

  /**
   * A statement of a client.
   *
   * @param start when it was sent, as {@link System#nanoTime} tells
   * @param nanos how long its client waited for it
   */
  record Sample(long start, long nanos) {}

  /** How many statements a second the writers, and then the readers, get done at most. */
  double[] capacity(double seconds) throws Exception {
    long end = System.nanoTime() + (long) (seconds * 1e9);
    double[] endless = {Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY};
    List<List<Sample>> samples = run(endless, () -> System.nanoTime() < end);
    return samples.stream().mapToDouble(each -> each.size() / seconds).toArray();
  }

  /**
   * Works at a pace until told to stop; the statements of writers, and those of readers.
   *
   * @param perSecond statements a second of all writers, and of all readers
   */
  List<List<Sample>> run(double[] perSecond, BooleanSupplier goOn) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(2 * CLIENTS_OF_EACH);
    try {
      List<List<Future<List<Sample>>>> clients = new ArrayList<>();
      for (int role = 0; role < 2; role++) {
        List<String> statements = role == 0 ? WRITES : READS;
        long interval = (long) (1e9 * CLIENTS_OF_EACH / perSecond[role]);
        List<Future<List<Sample>>> ofRole = new ArrayList<>();
        for (int i = 0; i < CLIENTS_OF_EACH; i++) {
          int number = i;
          ofRole.add(pool.submit(() -> work(statements, interval, number, goOn)));
        }
        clients.add(ofRole);
      }
      List<List<Sample>> samples = new ArrayList<>();
      for (List<Future<List<Sample>>> ofRole : clients) {
        List<Sample> all = new ArrayList<>();
        for (Future<List<Sample>> client : ofRole) {
          all.addAll(client.get());
        }
        samples.add(all);
      }
      return samples;
    } finally {
      pool.shutdownNow();
    }
  }

  private List<Sample> work(List<String> sql, long interval, int number, BooleanSupplier goOn)
      throws SQLException {
    List<Sample> samples = new ArrayList<>();
    try (Connection connection = dataSource.getConnection()) {
      List<PreparedStatement> statements = new ArrayList<>();
      for (String each : sql) {
        statements.add(connection.prepareStatement(each));
      }
      long key = 7919L * number;
      long next = System.nanoTime();
      for (int i = 0; goOn.getAsBoolean(); i++) {
        key = (key * 31 + 104_729) % rows;
        PreparedStatement statement = statements.get(i % statements.size());
        statement.setInt(1, (int) key + 1);
        long start = System.nanoTime();
        statement.execute();
        samples.add(new Sample(start, System.nanoTime() - start));
        next = Math.max(next + interval, System.nanoTime() - interval);
        LockSupport.parkNanos(next - System.nanoTime());
      }
    }
    return samples;
  }
}
