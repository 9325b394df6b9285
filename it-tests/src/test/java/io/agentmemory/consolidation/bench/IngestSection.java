package io.agentmemory.consolidation.bench;

import com.zaxxer.hikari.HikariDataSource;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.OnConflict;
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
  private static final String NEWEST = "Consolidation, all indexes";
  private static final String BULK = "Consolidation, bulk load";
  private static final String BY_HAND = "psql: copy, then index, then analyse";

  /** Loads before any is counted: the JVM compiles for the first few seconds. */
  private static final int WARM_UPS = 2;

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

  /** Interleaved rounds, one of each way at a time. */
  private Map<String, Spread> rounds(Map<String, Way> ways) throws Exception {
    return rounds(ways, Map.of());
  }

  /** The same; the slow ways come in the first rounds only. */
  private Map<String, Spread> rounds(Map<String, Way> ways, Map<String, Way> slow)
      throws Exception {
    Map<String, Way> all = new LinkedHashMap<>(ways);
    all.putAll(slow);
    Map<String, List<Double>> rates = new LinkedHashMap<>();
    all.keySet().forEach(name -> rates.put(name, new ArrayList<>()));
    List<String> order = new ArrayList<>(all.keySet());
    int rounds = ways.isEmpty() ? bench.settings().slowRounds() : bench.settings().rounds();
    for (int round = 0; round < rounds; round++) {
      for (String name : order) {
        if (round < bench.settings().slowRounds() || ways.containsKey(name)) {
          rates.get(name).add(all.get(name).run());
        }
      }
      Collections.rotate(order, 1);
      bench.log().say("ingest: round " + (round + 1) + " of " + rounds);
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
    try (IngestTables tables = IngestTables.first(bench.server())) {
      tables.execute("drop index " + MemoriesTable.HNSW);
      try (OutputStream out = Files.newOutputStream(file)) {
        BinaryRows.write(data, 0, rows, out);
      }
      Map<String, Way> ways = new LinkedHashMap<>();
      ways.put("Consolidation", () -> tables.ours(memories, 1));
      ways.put("psql \\copy binary", () -> tables.psql(file, rows));
      Map<String, Way> slow = new LinkedHashMap<>();
      slow.put("Consolidation, skipping", () -> tables.ours(memories, OnConflict.SKIP));
      slow.put("Consolidation, replacing", () -> tables.ours(memories, OnConflict.REPLACE));
      for (int i = 0; i < WARM_UPS; i++) {
        tables.ours(memories, 1);
        tables.psql(file, rows);
      }
      Map<String, Spread> rates = rounds(ways, slow);
      bench
          .report()
          .text(
              ("%,d rows into the table of consolidation_001 with all its indexes but the one on"
                      + " embeddings. Skipping and replacing ids that are taken (here none is) go by way"
                      + " of a temporary table; %d rounds of these.")
                  .formatted(rows, bench.settings().slowRounds()));
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
    try (IngestTables tables = IngestTables.first(bench.server());
        IngestTables newest = IngestTables.newest(bench.server());
        ScratchDatabase others = bench.server().freshDatabase("peers");
        HikariDataSource pool = OurStore.pool(others, 4);
        HikariDataSource springPool = OurStore.pool(others, 4);
        Connection connection = pool.getConnection()) {
      List<Peer> peers = peers(connection, pool, springPool, data, rows);
      Map<String, Way> ways = new LinkedHashMap<>();
      for (int connections : new int[] {1, 2}) {
        ways.put(name("Consolidation", connections), () -> tables.ours(memories, connections));
        ways.put(name(NEWEST, connections), () -> newest.ours(memories, connections));
        for (Peer peer : peers) {
          ways.put(
              name(peer.name(), connections),
              () -> insert(peer, connection, data, rows, connections));
        }
      }
      Map<String, Spread> rates = rounds(ways);
      bench
          .report()
          .text(
              ("%,d rows into an empty table under an HNSW index; ours has the others of"
                      + " consolidation_001 too, and in rows of its own all that upgrade() makes,"
                      + " with the second HNSW index, which keeps projects apart:")
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

  /** Rows with the index built last, beside peers that insert them under their own. */
  private void bulk(DataSet data) throws Exception {
    bench.log().say("ingest: index last");
    int rows = bench.settings().rowsInBulk();
    List<NewMemory> memories = memories(data, rows);
    Path file = Files.createTempFile("rows", ".bin");
    try (IngestTables tables = IngestTables.first(bench.server());
        IngestTables newest = IngestTables.newest(bench.server());
        ScratchDatabase others = bench.server().freshDatabase("peers");
        HikariDataSource pool = OurStore.pool(others, 4);
        HikariDataSource springPool = OurStore.pool(others, 4);
        Connection connection = pool.getConnection()) {
      try (OutputStream out = Files.newOutputStream(file)) {
        BinaryRows.write(data, 0, rows, out);
      }
      Map<String, Way> ways = new LinkedHashMap<>();
      ways.put(BULK, () -> rows / tables.bulk(memories));
      ways.put(BULK + ", all indexes", () -> rows / newest.bulk(memories));
      ways.put(BY_HAND, () -> rows / tables.bulkByHand(file, rows));
      Map<String, Way> slow = new LinkedHashMap<>();
      for (Peer peer : peers(connection, pool, springPool, data, rows)) {
        slow.put(
            peer.name() + " under its HNSW index", () -> insert(peer, connection, data, rows, 1));
      }
      tables.bulk(memories);
      Map<String, Spread> rates = rounds(ways, slow);
      bench
          .report()
          .text(
              ("%,d rows into an empty table with the indexes of consolidation_001, the one on"
                      + " embeddings built last, and with all that upgrade() makes; the peers insert"
                      + " under theirs, in %d rounds:")
                  .formatted(rows, bench.settings().slowRounds()));
      table(rates);
      rates.forEach((name, rate) -> bars.put(name, rate.median()));
      double ours = rates.get(BULK).median();
      double time = rates.get(BY_HAND).median() / ours;
      bench
          .report()
          .verdict(
              "time of a bulk load against the same steps by hand in psql",
              "≤ 1.1",
              Spread.number(time),
              time <= 1.1);
      double rival =
          slow.keySet().stream().mapToDouble(each -> rates.get(each).median()).max().orElse(0);
      bench
          .report()
          .verdict(
              "bulk load against the faster peer under its index",
              "≥ 4",
              Spread.number(ours / rival),
              ours / rival >= 4);
    } finally {
      Files.delete(file);
    }
  }

  /** The peers with their own tables, each under an HNSW index; see {@link PeerStores}. */
  private static List<Peer> peers(
      Connection connection,
      HikariDataSource pool,
      HikariDataSource springPool,
      DataSet data,
      int rows)
      throws Exception {
    MemoriesTable.execute(connection, "create extension vector");
    Peer langChain = new LangChainPeer("LangChain4j", pool, "lc", LangChainPeer.JSON);
    MemoriesTable.execute(connection, PeerStores.hnsw(langChain));
    SpringPeer spring = new SpringPeer(springPool, "spring", true, List.of());
    spring.prepare(data, 0, rows);
    return List.of(langChain, spring);
  }

  private static double insert(
      Peer peer, Connection connection, DataSet data, int rows, int connections) throws Exception {
    MemoriesTable.execute(connection, "truncate " + peer.table());
    MemoriesTable.execute(connection, "checkpoint");
    return IngestTables.rate(rows, connections, (from, to) -> peer.insert(data, from, to));
  }

  private static String name(String who, int connections) {
    return who + (connections == 1 ? ", 1 connection" : ", " + connections + " connections");
  }

  /** The indexes of the first revision alone, with each further one, and with all of them. */
  private void indexes(DataSet data) throws Exception {
    bench.log().say("ingest: what each further index costs");
    int rows = bench.settings().rowsUnderIndex();
    List<NewMemory> memories = memories(data, rows);
    Map<String, String> further;
    try (IngestTables first = IngestTables.first(bench.server());
        IngestTables tables = IngestTables.newest(bench.server())) {
      further = tables.indexes();
      further.keySet().removeAll(first.indexes().keySet());
      if (further.isEmpty()) {
        bench.report().text("There is no index beyond those of consolidation_001.");
        return;
      }
      Map<String, Way> ways = new LinkedHashMap<>();
      ways.put(IngestTables.FIRST, () -> with(tables, further, List.of(), memories));
      for (String index : further.keySet()) {
        ways.put("and " + index, () -> with(tables, further, List.of(index), memories));
      }
      ways.put("and all", () -> with(tables, further, further.keySet(), memories));
      Map<String, Spread> rates = rounds(Map.of(), ways);
      Table table = new Table("indexes", "rows a second", "time more");
      double base = rates.get(IngestTables.FIRST).median();
      rates.forEach(
          (name, rate) ->
              table.row(name, rate, "%.0f %%".formatted(100 * (base / rate.median() - 1))));
      bench
          .report()
          .text(
              ("What each index beyond those of consolidation_001 costs, %,d rows under these and it,"
                      + " %d rounds:")
                  .formatted(rows, bench.settings().slowRounds()));
      bench.report().table(table);
    }
  }

  private static double with(
      IngestTables tables,
      Map<String, String> further,
      Iterable<String> wanted,
      List<NewMemory> memories)
      throws Exception {
    tables.empty(MemoriesTable.NAME);
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
      try (IngestTables tables = IngestTables.first(bench.server())) {
        tables.execute("drop index " + MemoriesTable.HNSW);
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
