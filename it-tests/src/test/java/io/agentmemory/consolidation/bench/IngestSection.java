package io.agentmemory.consolidation.bench;

import com.zaxxer.hikari.HikariDataSource;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Taking memories in: without and under the index on the embeddings, and what each index costs. */
final class IngestSection {
  private final Bench bench;
  private final Map<String, Double> bars = new LinkedHashMap<>();

  IngestSection(Bench bench) {
    this.bench = bench;
  }

  /** A way to take rows in; returns rows a second. */
  private interface Way {
    double run() throws Exception;
  }

  void run() throws Exception {
    DataSet data = DataSet.inProjects(bench.corpus(), bench.corpus().size());
    withoutHnsw(data);
    underHnsw(data);
    bulk(data);
    indexes(data);
    smallHeap();
    String title = "Rows a second under an HNSW index";
    bench.report().chart(title, bench.charts().bars("ingest", title, "rows a second", bars));
  }

  private static List<NewMemory> memories(DataSet data, int rows) {
    return IntStream.range(0, rows).mapToObj(data::memory).toList();
  }

  /** Interleaved rounds, one of each way at a time; a first one, not counted, warms up. */
  private Map<String, Spread> rounds(Map<String, Way> ways) throws Exception {
    Map<String, List<Double>> rates = new LinkedHashMap<>();
    ways.keySet().forEach(name -> rates.put(name, new ArrayList<>()));
    List<String> order = new ArrayList<>(ways.keySet());
    for (int round = 0; round < bench.settings().rounds(); round++) {
      for (String name : order) {
        rates.get(name).add(ways.get(name).run());
      }
      Collections.rotate(order, 1);
      bench.log().say("ingest: round " + (round + 1) + " of " + bench.settings().rounds());
    }
    Map<String, Spread> spreads = new LinkedHashMap<>();
    rates.forEach((name, values) -> spreads.put(name, Spread.of(values)));
    return spreads;
  }

  private void withoutHnsw(DataSet data) throws Exception {
    bench.log().say("ingest: without HNSW");
    int rows = data.size();
    List<NewMemory> memories = memories(data, rows);
    Path file = Files.createTempFile("rows", ".bin");
    try (IngestTables tables = IngestTables.ordered(bench.server())) {
      tables.execute("drop index " + OrderTable.HNSW);
      try (OutputStream out = Files.newOutputStream(file)) {
        BinaryRows.write(data, 0, rows, out);
      }
      Map<String, Way> ways = new LinkedHashMap<>();
      ways.put("Consolidation", () -> tables.ours(memories, 1));
      ways.put("psql \\copy binary", () -> tables.psql(file, rows));
      tables.ours(memories, 1);
      Map<String, Spread> rates = rounds(ways);
      bench
          .report()
          .text(
              "%,d rows into the order's table with all its indexes but the one on embeddings:"
                  .formatted(rows));
      table(rates);
      double share = rates.get("Consolidation").median() / rates.get("psql \\copy binary").median();
      bench
          .report()
          .verdict(
              "ingest without HNSW against psql's binary copy of the same rows",
              "≥ 0.9",
              Spread.number(share),
              share >= 0.9);
    } finally {
      Files.delete(file);
    }
  }

  private void table(Map<String, Spread> rates) {
    Table table = new Table("", "rows a second");
    rates.forEach(table::row);
    bench.report().table(table);
  }

  private void underHnsw(DataSet data) throws Exception {
    bench.log().say("ingest: under HNSW");
    int rows = bench.settings().rowsUnderIndex();
    List<NewMemory> memories = memories(data, rows);
    try (IngestTables tables = IngestTables.ordered(bench.server());
        ScratchDatabase others = bench.server().freshDatabase("peers");
        HikariDataSource pool = OurStore.pool(others, 4);
        Connection connection = pool.getConnection()) {
      OrderTable.execute(connection, "create extension vector");
      Peer langChain = new LangChainPeer("LangChain4j", pool, "lc", LangChainPeer.JSON);
      OrderTable.execute(connection, PeerStores.hnsw(langChain));
      SpringPeer spring = new SpringPeer(pool, "spring", true, List.of());
      spring.prepare(data, 0, rows);
      Map<String, Way> ways = new LinkedHashMap<>();
      for (int connections : new int[] {1, 2}) {
        ways.put(name("Consolidation", connections), () -> tables.ours(memories, connections));
        for (Peer peer : List.of(langChain, spring)) {
          ways.put(
              name(peer.name(), connections),
              () -> {
                OrderTable.execute(connection, "truncate " + peer.table());
                OrderTable.execute(connection, "checkpoint");
                return IngestTables.rate(
                    rows, connections, (from, to) -> peer.insert(data, from, to));
              });
        }
      }
      Map<String, Spread> rates = rounds(ways);
      bench
          .report()
          .text(
              "%,d rows into an empty table under an HNSW index; ours has the order's other indexes too:"
                  .formatted(rows));
      table(rates);
      rates.forEach((name, rate) -> bars.put(name, rate.median()));
      for (int connections : new int[] {1, 2}) {
        double rival =
            Math.max(
                rates.get(name("LangChain4j", 1)).median(),
                rates.get(name("Spring AI", 1)).median());
        double ratio = rates.get(name("Consolidation", connections)).median() / rival;
        double wanted = connections == 1 ? 1 : 1.5;
        bench
            .report()
            .verdict(
                "ingest under HNSW, ours on %d, against the faster peer on one connection"
                    .formatted(connections),
                "≥ " + wanted,
                Spread.number(ratio),
                ratio >= wanted);
      }
    }
  }

  /** All rows with the index built last, beside a peer that inserts them under its own. */
  private void bulk(DataSet data) throws Exception {
    bench.log().say("ingest: index last");
    int rows = data.size();
    Path file = Files.createTempFile("rows", ".bin");
    try (IngestTables tables = IngestTables.ordered(bench.server());
        ScratchDatabase others = bench.server().freshDatabase("peers");
        HikariDataSource pool = OurStore.pool(others, 4);
        Connection connection = pool.getConnection()) {
      OrderTable.execute(connection, "create extension vector");
      Peer langChain = new LangChainPeer("LangChain4j", pool, "lc", LangChainPeer.JSON);
      OrderTable.execute(connection, PeerStores.hnsw(langChain));
      try (OutputStream out = Files.newOutputStream(file)) {
        BinaryRows.write(data, 0, rows, out);
      }
      Map<String, Way> ways = new LinkedHashMap<>();
      ways.put("psql: copy, then index, then analyse", () -> rows / tables.bulkByHand(file, rows));
      ways.put(
          "LangChain4j under its HNSW index",
          () -> {
            OrderTable.execute(connection, "truncate " + langChain.table());
            OrderTable.execute(connection, "checkpoint");
            return IngestTables.rate(rows, 1, (from, to) -> langChain.insert(data, from, to));
          });
      Map<String, Spread> rates = rounds(ways);
      bench.report().text("%,d rows into an empty table, all indexes at the end:".formatted(rows));
      table(rates);
    } finally {
      Files.delete(file);
    }
  }

  private static String name(String who, int connections) {
    return who + (connections == 1 ? ", 1 connection" : ", " + connections + " connections");
  }

  /** The order's indexes alone, with each further one by itself, and with all of them. */
  private void indexes(DataSet data) throws Exception {
    bench.log().say("ingest: what each further index costs");
    int rows = bench.settings().rowsUnderIndex();
    List<NewMemory> memories = memories(data, rows);
    Map<String, String> further;
    try (IngestTables ordered = IngestTables.ordered(bench.server());
        IngestTables tables = IngestTables.newest(bench.server())) {
      further = tables.indexes();
      further.keySet().removeAll(ordered.indexes().keySet());
      if (further.isEmpty()) {
        bench.report().text("There is no index beyond the order's.");
        return;
      }
      String orderOnly = "the order's";
      Map<String, Way> ways = new LinkedHashMap<>();
      ways.put(orderOnly, () -> with(tables, further, List.of(), memories));
      for (String index : further.keySet()) {
        ways.put("and " + index, () -> with(tables, further, List.of(index), memories));
      }
      ways.put("and all", () -> with(tables, further, further.keySet(), memories));
      Map<String, Spread> rates = rounds(ways);
      Table table = new Table("indexes", "rows a second", "time more");
      double base = rates.get(orderOnly).median();
      rates.forEach(
          (name, rate) ->
              table.row(name, rate, "%.0f %%".formatted(100 * (base / rate.median() - 1))));
      bench
          .report()
          .text(
              "What each index beyond the order's costs, %,d rows under the order's and it:"
                  .formatted(rows));
      bench.report().table(table);
    }
  }

  private static double with(
      IngestTables tables,
      Map<String, String> further,
      Iterable<String> wanted,
      List<NewMemory> memories)
      throws Exception {
    tables.empty(OrderTable.NAME);
    for (String index : further.keySet()) {
      tables.execute("drop index if exists " + index);
    }
    for (String index : wanted) {
      tables.execute(further.get(index));
    }
    return tables.ours(memories, 1);
  }

  private void smallHeap() throws Exception {
    bench.log().say("ingest: small heap");
    Table table = new Table("rows", "heap of the JVM", "");
    boolean all = true;
    int few = bench.settings().quick() ? 1_000 : 50_000;
    for (int rows : new int[] {few, 10 * few}) {
      try (IngestTables tables = IngestTables.ordered(bench.server())) {
        tables.execute("drop index " + OrderTable.HNSW);
        boolean loaded = SmallHeap.load(tables.database(), bench.server(), rows);
        all &= loaded;
        table.row("%,d".formatted(rows), SmallHeap.HEAP, Report.mark(loaded));
      }
    }
    bench.report().text("The same JVM, however many rows:");
    bench.report().table(table);
    bench
        .report()
        .verdict(
            "memory of an ingest",
            "constant in rows",
            "%,d and ten times as many in %s".formatted(few, SmallHeap.HEAP),
            all);
  }
}
