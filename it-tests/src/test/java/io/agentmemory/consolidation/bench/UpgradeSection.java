package io.agentmemory.consolidation.bench;

import io.agentmemory.consolidation.bench.PacedLoad.Sample;
import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import io.agentmemory.consolidation.schema.IndexBuilds;
import io.agentmemory.consolidation.schema.PlannedStatement;
import io.agentmemory.consolidation.schema.Schema;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.flywaydb.core.Flyway;

/** What the users of a busy host table notice of an upgrade. */
final class UpgradeSection {
  private static final double LOCK_TIMEOUT_MS = 2_000;
  private static final double ALLOWED_LOSS = 0.25;
  private static final String FIRST = "consolidation_001";

  private final Bench bench;
  private final int rows;

  /** Statements a second of writers and of readers: the same for all that is measured. */
  private double[] paces = {};

  private final Table table =
      new Table(
          "",
          "seconds",
          "statements/s before",
          "meanwhile",
          "loss",
          "p99 ms",
          "longest write ms",
          "longest read ms");

  UpgradeSection(Bench bench) {
    this.bench = bench;
    this.rows = bench.settings().hostRows();
  }

  /** Something that is done to a database while others work on it. */
  private interface Work {
    void on(ScratchDatabase database) throws Exception;
  }

  /** What was noticed: seconds it took, share of statements lost, longest statement. */
  private record Noticed(double seconds, double loss, double longestMs) {}

  void run() throws Exception {
    bench
        .report()
        .text(
            ("A host table of %,d rows; two clients write to it and two read from it, each pair at"
                    + " half of what it can. Ours applies all revisions, its indexes online; Flyway"
                    + " runs the statements of consolidation_001 as one migration. A loss is of the"
                    + " statements a second that were made before.")
                .formatted(rows));
    Noticed ours = measure("our upgrade()", UpgradeSection::upgrade);
    measure("Flyway, consolidation_001", UpgradeSection::migrate);
    Noticed control =
        measure("nothing (control)", database -> Thread.sleep((long) (ours.seconds * 1000)));
    bench.report().table(table);
    double allowed = LOCK_TIMEOUT_MS + control.longestMs;
    bench
        .report()
        .verdict(
            "longest stall during an upgrade",
            "≤ 2 s and the control's, %s ms".formatted(Spread.number(allowed)),
            Spread.number(ours.longestMs) + " ms",
            ours.longestMs <= allowed);
    bench
        .report()
        .verdict(
            "throughput lost during an upgrade",
            "< 25 %",
            Spread.number(ours.loss * 100) + " %",
            ours.loss < ALLOWED_LOSS);
  }

  private static void upgrade(ScratchDatabase database) {
    Schema.on(database.dataSource()).upgrade();
  }

  private static void migrate(ScratchDatabase database) throws Exception {
    Schema schema = Schema.on(database.dataSource()).withIndexBuilds(IndexBuilds.IN_TRANSACTION);
    String first =
        schema.plan().statements().stream()
            .filter(each -> FIRST.equals(each.revision()) && !each.name().startsWith("record "))
            .map(PlannedStatement::sql)
            .collect(Collectors.joining(";\n", "", ";\n"));
    Path folder = Files.createTempDirectory("flyway");
    Path migration = folder.resolve("V1__consolidation_001.sql");
    try {
      Files.writeString(migration, first);
      Flyway.configure()
          .dataSource(database.dataSource())
          .locations("filesystem:" + folder)
          .baselineOnMigrate(true)
          .baselineVersion("0")
          .load()
          .migrate();
    } finally {
      Files.deleteIfExists(migration);
      Files.delete(folder);
    }
  }

  private Noticed measure(String name, Work work) throws Exception {
    bench.log().say("upgrade: " + name);
    try (ScratchDatabase database = bench.server().freshDatabase("upgrade")) {
      fill(database);
      PacedLoad load = new PacedLoad(database.dataSource(), rows);
      double seconds = bench.settings().quick() ? 2 : 10;
      double[] capacity = load.capacity(seconds);
      if (paces.length == 0) {
        paces = Arrays.stream(capacity).map(each -> each / 2).toArray();
      }
      AtomicBoolean ended = new AtomicBoolean();
      ExecutorService pool = Executors.newSingleThreadExecutor();
      try {
        Future<List<List<Sample>>> clients = pool.submit(() -> load.run(paces, () -> !ended.get()));
        long first = System.nanoTime();
        Thread.sleep((long) (seconds * 1000));
        long start = System.nanoTime();
        try {
          work.on(database);
        } finally {
          ended.set(true);
        }
        long end = System.nanoTime();
        return noticed(name, clients.get(), first, start, end);
      } finally {
        pool.shutdownNow();
      }
    }
  }

  private Noticed noticed(
      String name, List<List<Sample>> samples, long first, long start, long end) {
    List<Sample> all = samples.stream().flatMap(List::stream).toList();
    double before = rate(all, first, start);
    double during = rate(all, start, end);
    double loss = Math.max(0, 1 - during / before);
    double[] times =
        all.stream()
            .filter(sample -> sample.start() + sample.nanos() > start && sample.start() < end)
            .mapToDouble(sample -> sample.nanos() / 1e6)
            .toArray();
    double write = longest(samples.get(0), start, end);
    double read = longest(samples.get(1), start, end);
    double seconds = (end - start) / 1e9;
    table.row(
        name,
        seconds,
        before,
        during,
        Spread.number(loss * 100) + " %",
        Spread.percentile(times, 99),
        write,
        read);
    return new Noticed(seconds, loss, Math.max(write, read));
  }

  private static double rate(List<Sample> samples, long from, long to) {
    LongStream ends = samples.stream().mapToLong(sample -> sample.start() + sample.nanos());
    return ends.filter(end -> end >= from && end < to).count() / ((to - from) / 1e9);
  }

  private static double longest(List<Sample> samples, long from, long to) {
    return samples.stream()
            .filter(sample -> sample.start() + sample.nanos() > from && sample.start() < to)
            .mapToLong(Sample::nanos)
            .max()
            .orElse(0)
        / 1e6;
  }

  private void fill(ScratchDatabase database) throws Exception {
    try (Connection connection = database.dataSource().getConnection()) {
      MemoriesTable.execute(connection, "create extension vector");
      MemoriesTable.execute(
          connection,
          "create table task_memories (id varchar primary key, project_id varchar, task_id varchar,"
              + " execution_summary text, success boolean)");
      MemoriesTable.execute(
          connection,
          "insert into task_memories select 'm' || i, 'p' || i % 100, 't', repeat(md5(i::text), 12),"
              + " true from generate_series(1, "
              + rows
              + ") i");
      MemoriesTable.execute(connection, "vacuum (analyze) task_memories");
      MemoriesTable.execute(connection, "checkpoint");
    }
  }
}
