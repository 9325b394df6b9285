package io.agentmemory.consolidation.bench;

import com.zaxxer.hikari.HikariDataSource;
import io.agentmemory.consolidation.it.postgres.PostgresServer;
import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import java.sql.Connection;
import java.util.List;

/**
 * The other libraries' stores, loaded with a data set before their indexes are built. Each library
 * has a pool of its own: LangChain4j makes pgvector's types known to the connections that it is
 * given, which then send them in binary, and Spring AI does not.
 */
final class PeerStores implements AutoCloseable {
  private final ScratchDatabase database;
  private final HikariDataSource pool;
  private final HikariDataSource springPool;
  private final Peer columns;
  private final Peer json;
  private final Peer ivfFlat;
  private final Peer spring;

  private PeerStores(
      ScratchDatabase database, HikariDataSource pool, DataSet data, List<Question> questions) {
    this.database = database;
    this.pool = pool;
    springPool = OurStore.pool(database, 4);
    columns = new LangChainPeer("LangChain4j, columns", pool, "lc_columns", LangChainPeer.COLUMNS);
    json = new LangChainPeer("LangChain4j, JSON", pool, "lc_json", LangChainPeer.JSON);
    ivfFlat = new LangChainPeer("LangChain4j, IVFFlat", pool, "lc_ivf", LangChainPeer.COLUMNS);
    SpringPeer springPeer = new SpringPeer(springPool, "spring", false, questions);
    springPeer.prepare(data, 0, data.size());
    spring = springPeer;
  }

  static PeerStores load(PostgresServer server, DataSet data, List<Question> questions, Log log)
      throws Exception {
    ScratchDatabase database = server.freshDatabase("peers");
    HikariDataSource pool = OurStore.pool(database, 4);
    try (Connection connection = pool.getConnection()) {
      MemoriesTable.execute(connection, "create extension vector");
    }
    PeerStores stores = new PeerStores(database, pool, data, questions);
    for (Peer peer : List.of(stores.columns, stores.json, stores.ivfFlat, stores.spring)) {
      peer.insert(data, 0, data.size());
      log.say("loaded " + peer.name());
    }
    LangChainPeer.buildIvfFlat(pool, "lc_ivf", Math.max(10, data.size() / 1_000));
    try (Connection connection = database.dataSource().getConnection()) {
      MemoriesTable.execute(connection, MemoriesTable.maintenance(data.size()));
      for (Peer peer : List.of(stores.columns, stores.json, stores.spring)) {
        MemoriesTable.execute(connection, hnsw(peer));
        log.say("built HNSW for " + peer.name());
      }
      MemoriesTable.execute(connection, "vacuum (analyze)");
      MemoriesTable.execute(connection, "checkpoint");
    }
    return stores;
  }

  /** The index that Spring AI makes by itself, and a user of LangChain4j by hand. */
  static String hnsw(Peer peer) {
    return "create index on %s using hnsw (embedding vector_cosine_ops)".formatted(peer.table());
  }

  Peer columns() {
    return columns;
  }

  Peer json() {
    return json;
  }

  Peer ivfFlat() {
    return ivfFlat;
  }

  Peer spring() {
    return spring;
  }

  @Override
  public void close() {
    pool.close();
    springPool.close();
    database.close();
  }
}
