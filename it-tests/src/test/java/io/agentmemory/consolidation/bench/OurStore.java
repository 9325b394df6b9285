package io.agentmemory.consolidation.bench;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.it.postgres.PostgresServer;
import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;

/** The library's newest schema in a database of its own, with a data set loaded. */
final class OurStore implements AutoCloseable {
  static final SchemaOptions OPTIONS =
      SchemaOptions.builder().dimensions(VectorCache.DIMENSIONS).build();

  private final ScratchDatabase database;
  private final DataSet data;
  private final Map<String, Double> builds;
  private final HikariDataSource pool;
  private final Consolidation consolidation;

  private OurStore(ScratchDatabase database, DataSet data, Map<String, Double> builds) {
    this.database = database;
    this.data = data;
    this.builds = builds;
    this.pool = pool(database, 4);
    this.consolidation = Consolidation.on(pool, OPTIONS);
  }

  static OurStore load(PostgresServer server, DataSet data, Log log) throws Exception {
    ScratchDatabase database = server.freshDatabase("bench");
    Schema.on(database.dataSource(), OPTIONS).upgrade();
    try (Connection connection = database.dataSource().getConnection()) {
      return new OurStore(database, data, MemoriesTable.load(connection, data, log));
    }
  }

  /** A pool with HikariCP's defaults but for its size. */
  static HikariDataSource pool(ScratchDatabase database, int size) {
    HikariConfig config = new HikariConfig();
    config.setDataSource(database.dataSource());
    config.setMaximumPoolSize(size);
    return new HikariDataSource(config);
  }

  ScratchDatabase database() {
    return database;
  }

  DataSet data() {
    return data;
  }

  /** The seconds that building each index took. */
  Map<String, Double> builds() {
    return builds;
  }

  Consolidation consolidation() {
    return consolidation;
  }

  Connection connect() throws SQLException {
    return database.dataSource().getConnection();
  }

  @Override
  public void close() {
    pool.close();
    database.close();
  }
}
