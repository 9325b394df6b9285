package io.agentmemory.consolidation.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.Map;
import org.postgresql.PGConnection;
import org.postgresql.copy.PGCopyOutputStream;

/** The table of memories by plain SQL: its rows, and the indexes on it. */
final class MemoriesTable {
  static final String NAME = "consolidated_memories";

  /** The index on the embeddings that {@code consolidation_001} makes. */
  static final String HNSW = "idx_cm_embedding";

  private static final String INDEXES =
      """
      select c.relname, pg_get_indexdef(c.oid)
      from pg_index as i join pg_class as c on c.oid = i.indexrelid
      where i.indrelid = 'consolidated_memories'::regclass and not i.indisprimary
      order by c.relname
      """;

  private MemoriesTable() {}

  static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  static long number(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getLong(1);
    }
  }

  /** The definitions of all indexes but the primary key's, by name. */
  static Map<String, String> indexes(Connection connection) throws SQLException {
    Map<String, String> definitions = new LinkedHashMap<>();
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(INDEXES)) {
      while (rows.next()) {
        definitions.put(rows.getString(1), rows.getString(2));
      }
    }
    return definitions;
  }

  static void drop(Connection connection, Iterable<String> indexes) throws SQLException {
    for (String index : indexes) {
      execute(connection, "drop index " + index);
    }
  }

  static void copy(Connection connection, DataSet data) throws SQLException, IOException {
    String copy = "copy %s (%s) from stdin (format binary)".formatted(NAME, BinaryRows.COLUMNS);
    try (OutputStream out = new PGCopyOutputStream(connection.unwrap(PGConnection.class), copy)) {
      BinaryRows.write(data, 0, data.size(), out);
    }
  }

  /** Memory for an index build of so many rows: all of the graph, and then some. */
  static String maintenance(int rows) {
    return "set maintenance_work_mem = '" + maintenanceMegabytes(rows) + "MB'";
  }

  static long maintenanceMegabytes(int rows) {
    return 256 + rows * 4L * VectorCache.DIMENSIONS * 16 / 10 / 1_000_000;
  }

  /** Loads all rows without the indexes and builds those then; the seconds that each took. */
  static Map<String, Double> load(Connection connection, DataSet data, Log log)
      throws SQLException, IOException {
    Map<String, String> indexes = indexes(connection);
    drop(connection, indexes.keySet());
    long start = System.nanoTime();
    copy(connection, data);
    log.say("copied %,d rows in %.1f s".formatted(data.size(), seconds(start)));
    execute(connection, maintenance(data.size()));
    Map<String, Double> builds = new LinkedHashMap<>();
    for (Map.Entry<String, String> index : indexes.entrySet()) {
      long begin = System.nanoTime();
      execute(connection, index.getValue());
      builds.put(index.getKey(), seconds(begin));
      log.say("built %s in %.1f s".formatted(index.getKey(), builds.get(index.getKey())));
    }
    execute(connection, "vacuum (analyze) " + NAME);
    execute(connection, "checkpoint");
    return builds;
  }

  static double seconds(long start) {
    return (System.nanoTime() - start) / 1e9;
  }
}
