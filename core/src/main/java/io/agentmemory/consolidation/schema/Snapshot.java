package io.agentmemory.consolidation.schema;

import static io.agentmemory.consolidation.ddl.Identifiers.literal;

import io.agentmemory.consolidation.ddl.Identifiers;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What one query finds in a database.
 *
 * @param serverVersionNum the server's {@code server_version_num}
 * @param extension pgvector, null where it is not installed
 * @param schemaExists whether the target schema exists
 * @param hostTableExists whether the host's table exists
 * @param historyExists whether the history table exists
 * @param applied the rows of the history in order; empty where there is no history
 */
record Snapshot(
    int serverVersionNum,
    @Nullable Extension extension,
    boolean schemaExists,
    boolean hostTableExists,
    boolean historyExists,
    List<Applied> applied) {

  /**
   * Reads the history, where it exists, without failing where it does not: a plain reference would
   * fail while it is parsed, and poison a caller's transaction. {@code query_to_xml} parses its
   * text only when it is evaluated; the rows travel as hexadecimal, which XML leaves alone. All
   * names are qualified because the caller's search_path may be hostile.
   */
  private static final String QUERY =
      """
      SELECT pg_catalog.current_setting('server_version_num') AS server_version_num,
        (SELECT n.nspname FROM pg_catalog.pg_extension e, pg_catalog.pg_namespace n
          WHERE e.extname OPERATOR(pg_catalog.=) 'vector'
            AND n.oid OPERATOR(pg_catalog.=) e.extnamespace) AS extension_schema,
        (SELECT e.extversion FROM pg_catalog.pg_extension e
          WHERE e.extname OPERATOR(pg_catalog.=) 'vector') AS extension_version,
        pg_catalog.to_regnamespace(%s) IS NOT NULL AS schema_exists,
        pg_catalog.to_regclass(%s) IS NOT NULL AS host_table_exists,
        CASE WHEN pg_catalog.to_regclass(%s) IS NOT NULL THEN
          pg_catalog.convert_from(pg_catalog.decode(pg_catalog.substring(
            pg_catalog.query_to_xml(%s, true, false, '')::pg_catalog.text,
            '<history>([0-9a-f]*)</history>'), 'hex'), 'UTF8')
        END AS history
      """;

  private static final String HISTORY =
      """
      SELECT pg_catalog.encode(pg_catalog.convert_to(coalesce(
        pg_catalog.json_agg(pg_catalog.to_json(h) ORDER BY h."position"), '[]')::pg_catalog.text,
        'UTF8'), 'hex') AS history FROM %s AS h
      """;

  static String query(SchemaOptions options) {
    String history = new History(options).name().sql();
    return QUERY.formatted(
        literal(Identifiers.quoted(options.schema())),
        literal(options.hostTable().table().sql()),
        literal(history),
        literal(HISTORY.formatted(history)));
  }

  static Snapshot read(Connection connection, SchemaOptions options) {
    String sql = query(options);
    try (PreparedStatement statement = connection.prepareStatement(sql);
        ResultSet row = statement.executeQuery()) {
      row.next();
      String extensionSchema = row.getString("extension_schema");
      String history = row.getString("history");
      List<Applied> applied = new ArrayList<>();
      if (history != null && Json.read(history) instanceof List<?> rows) {
        rows.forEach(each -> applied.add(Applied.read(each)));
      }
      return new Snapshot(
          row.getInt("server_version_num"),
          extensionSchema == null
              ? null
              : new Extension(extensionSchema, row.getString("extension_version")),
          row.getBoolean("schema_exists"),
          row.getBoolean("host_table_exists"),
          history != null,
          List.copyOf(applied));
    } catch (SQLException e) {
      throw SchemaSqlException.of("read the state of the schema", sql, null, e);
    }
  }

  Optional<Applied> applied(String revision) {
    return applied.stream().filter(row -> row.revision().equals(revision)).findFirst();
  }

  boolean has(String revision) {
    return applied(revision).isPresent();
  }

  /** Whether the host's table was there before us; once recorded, the record says so. */
  boolean hostTableAdopted() {
    return applied(OwnRevisions.TASK_MEMORIES_001)
        .map(row -> !row.created().contains(History.CREATED_HOST_TABLE))
        .orElse(hostTableExists);
  }
}
