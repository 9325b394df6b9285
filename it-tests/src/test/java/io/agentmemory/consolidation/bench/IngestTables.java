package io.agentmemory.consolidation.bench;

import com.zaxxer.hikari.HikariDataSource;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.LoadOptions;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.OnConflict;
import io.agentmemory.consolidation.it.postgres.PostgresServer;
import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import io.agentmemory.consolidation.schema.Schema;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** An empty table of memories up to a revision, to be filled in several ways. */
final class IngestTables implements AutoCloseable {
  static final String FIRST = "consolidation_001";

  private static final Pattern TIME = Pattern.compile("Time: ([0-9.]+) ms");

  private final ScratchDatabase database;
  private final HikariDataSource pool;
  private final Consolidation consolidation;

  private IngestTables(ScratchDatabase database) {
    this.database = database;
    this.pool = OurStore.pool(database, 4);
    this.consolidation = Consolidation.on(pool, OurStore.OPTIONS);
  }

  /** As the first revision makes it. */
  static IngestTables first(PostgresServer server) {
    ScratchDatabase database = server.freshDatabase("ingest");
    Schema.on(database.dataSource(), OurStore.OPTIONS).upgradeTo(FIRST);
    return new IngestTables(database);
  }

  /** With everything that newer revisions add. */
  static IngestTables newest(PostgresServer server) {
    ScratchDatabase database = server.freshDatabase("ingest");
    Schema.on(database.dataSource(), OurStore.OPTIONS).upgrade();
    return new IngestTables(database);
  }

  ScratchDatabase database() {
    return database;
  }

  Consolidation consolidation() {
    return consolidation;
  }

  void execute(String... statements) throws Exception {
    try (Connection connection = database.dataSource().getConnection()) {
      for (String statement : statements) {
        MemoriesTable.execute(connection, statement);
      }
    }
  }

  Map<String, String> indexes() throws Exception {
    try (Connection connection = database.dataSource().getConnection()) {
      return MemoriesTable.indexes(connection);
    }
  }

  /** Empties a table, and lets the server write what it has to before time counts. */
  void empty(String table) throws Exception {
    execute("truncate " + table, "checkpoint");
  }

  void verify(String table, int rows) throws Exception {
    try (Connection connection = database.dataSource().getConnection()) {
      long there = MemoriesTable.number(connection, "select count(*) from " + table);
      if (there != rows) {
        throw new IllegalStateException("%d rows in %s, not %d".formatted(there, table, rows));
      }
    }
  }

  /** Rows a second by the library's load where ids may be taken. */
  double ours(List<NewMemory> memories, OnConflict onConflict) throws Exception {
    empty(MemoriesTable.NAME);
    LoadOptions options = LoadOptions.defaults().on(onConflict);
    long start = System.nanoTime();
    consolidation.memories().load(memories.iterator(), options);
    double rate = memories.size() / MemoriesTable.seconds(start);
    verify(MemoriesTable.NAME, memories.size());
    return rate;
  }

  /** Rows a second by the library over so many connections. */
  double ours(List<NewMemory> memories, int connections) throws Exception {
    empty(MemoriesTable.NAME);
    double rate =
        rate(
            memories.size(),
            connections,
            (from, to) -> OurIngest.load(consolidation, memories.subList(from, to).iterator()));
    verify(MemoriesTable.NAME, memories.size());
    return rate;
  }

  /** Rows a second of the same bytes by {@code psql}, as its own clock tells. */
  double psql(Path file, int rows) throws Exception {
    empty(MemoriesTable.NAME);
    String output =
        run(
            "\\copy %s (%s) from '%s' (format binary)"
                .formatted(MemoriesTable.NAME, BinaryRows.COLUMNS, file));
    verify(MemoriesTable.NAME, rows);
    return rows / seconds(output);
  }

  /** The seconds that psql takes for rows without the index, for building it, and to analyse. */
  double bulkByHand(Path file, int rows) throws Exception {
    String index = indexes().get(MemoriesTable.HNSW);
    empty(MemoriesTable.NAME);
    String output =
        run(
            "drop index " + MemoriesTable.HNSW,
            "\\copy %s (%s) from '%s' (format binary)"
                .formatted(MemoriesTable.NAME, BinaryRows.COLUMNS, file),
            MemoriesTable.maintenance(rows),
            index,
            "analyze " + MemoriesTable.NAME);
    verify(MemoriesTable.NAME, rows);
    return seconds(output);
  }

  /** The seconds that the library takes for the same, with as much memory allowed. */
  double bulk(List<NewMemory> memories) throws Exception {
    empty(MemoriesTable.NAME);
    Schema schema =
        Schema.on(pool, OurStore.OPTIONS)
            .withBuildMemory(MemoriesTable.maintenanceMegabytes(memories.size()) << 20);
    long start = System.nanoTime();
    schema.bulkLoad(() -> OurIngest.load(consolidation, memories.iterator()));
    double seconds = MemoriesTable.seconds(start);
    verify(MemoriesTable.NAME, memories.size());
    return seconds;
  }

  /** What psql prints for commands, with the time of each. */
  String run(String... commands) {
    List<String> arguments = new ArrayList<>(List.of("-X", "-v", "ON_ERROR_STOP=1"));
    arguments.addAll(List.of("-c", "\\timing on"));
    for (String command : commands) {
      arguments.addAll(List.of("-c", command));
    }
    return database.server().client(database.name(), "psql", arguments.toArray(String[]::new));
  }

  static double seconds(String output) {
    Matcher matcher = TIME.matcher(output);
    double milliseconds = 0;
    while (matcher.find()) {
      milliseconds += Double.parseDouble(matcher.group(1));
    }
    return milliseconds / 1_000;
  }

  /** Inserts the rows from one number to another, which is left out. */
  interface Part {
    void insert(int from, int to) throws Exception;
  }

  static double rate(int rows, int connections, Part part) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(connections);
    try {
      long start = System.nanoTime();
      List<Future<?>> parts = new ArrayList<>();
      for (int i = 0; i < connections; i++) {
        int from = rows * i / connections;
        int to = rows * (i + 1) / connections;
        parts.add(
            threads.submit(
                () -> {
                  part.insert(from, to);
                  return from;
                }));
      }
      for (Future<?> each : parts) {
        each.get();
      }
      return rows / MemoriesTable.seconds(start);
    } finally {
      threads.shutdownNow();
    }
  }

  @Override
  public void close() {
    pool.close();
    database.close();
  }
}
