package io.agentmemory.consolidation.it.hostile;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.agentmemory.consolidation.it.postgres.PostgresServer;
import io.agentmemory.consolidation.it.postgres.RecordedSql;
import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.sql.Connection;
import java.sql.SQLException;

/** A database with schemas that calls may change, and one that must not notice. */
final class Schemas implements AutoCloseable {
  static final SchemaOptions OPTIONS = SchemaOptions.builder().dimensions(3).build();

  private static final SchemaOptions THEIRS =
      SchemaOptions.builder().schema("theirs").dimensions(3).build();

  private static final String DROP_ALL =
      """
      DO $$
      DECLARE name text;
      BEGIN
        FOR name IN SELECT nspname FROM pg_namespace
            WHERE nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('information_schema', 'theirs') LOOP
          EXECUTE format('DROP SCHEMA %I CASCADE', name);
        END LOOP;
        CREATE SCHEMA public;
        ALTER EXTENSION vector SET SCHEMA public;
      END $$
      """;

  /** Relations, columns, indexes, constraints, policies and functions with their schemas. */
  private static final String CATALOG =
      """
      SELECT md5(string_agg(line, ' ' ORDER BY line)) FROM (
        SELECT concat_ws(' ', n.nspname, c.relname, c.relkind, c.relrowsecurity) FROM objects c
        UNION ALL
        SELECT concat_ws(' ', n.nspname, c.relname, a.attname, a.atttypid, a.atttypmod,
          a.attnotnull, a.atthasdef) FROM objects c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE a.attnum > 0
        UNION ALL
        SELECT concat_ws(' ', n.nspname, pg_get_indexdef(i.indexrelid), i.indisvalid)
        FROM objects c JOIN pg_index i ON i.indexrelid = c.oid
        UNION ALL
        SELECT concat_ws(' ', n.nspname, k.conname, pg_get_constraintdef(k.oid))
        FROM objects c JOIN pg_constraint k ON k.conrelid = c.oid
        UNION ALL
        SELECT concat_ws(' ', n.nspname, c.relname, p.polname)
        FROM objects c JOIN pg_policy p ON p.polrelid = c.oid
        UNION ALL
        SELECT concat_ws(' ', n.nspname, p.proname) FROM pg_proc p
        JOIN pg_namespace n ON n.oid = p.pronamespace WHERE schemas) AS lines(line)
      """
          .replace(
              "objects c",
              "(SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                  + " WHERE schemas) c JOIN pg_namespace n ON n.oid = c.relnamespace");

  private final RecordedSql sql = new RecordedSql();
  private final ScratchDatabase scratch = PostgresServer.shared().freshDatabase("hostile");
  private final HikariDataSource pool;
  private final Watch watch;
  private final Connection joined;
  private final String theirs;

  Schemas() throws SQLException {
    HikariConfig config = new HikariConfig();
    config.setDataSource(sql.of(scratch.dataSource()));
    config.setMaximumPoolSize(4);
    pool = new HikariDataSource(config);
    watch = new Watch(scratch);
    joined = sql.of(scratch.dataSource()).getConnection();
    joined.setAutoCommit(false);
    Schema.on(scratch.dataSource(), THEIRS).upgrade();
    watch.execute(
        """
        INSERT INTO theirs.task_memories (id, project_id, task_id, execution_summary, success)
        SELECT 'HIDDENt' || i, 'theirs', 't', 'HIDDEN', true FROM generate_series(0, 11) i"""
            .replace("HIDDEN", Tenants.HIDDEN));
    theirs = state().theirs();
  }

  HikariDataSource pool() {
    return pool;
  }

  RecordedSql sql() {
    return sql;
  }

  /** A connection in a transaction of the caller's. */
  Connection joined() {
    return joined;
  }

  /** Leaves the other schema, the empty schema public and the extension in it. */
  void reset() throws SQLException {
    watch.execute("ALTER EXTENSION vector SET SCHEMA theirs");
    watch.execute(DROP_ALL);
    Schema.on(scratch.dataSource(), OPTIONS).upgrade();
  }

  /** The catalog of the other schema, with its rows, and of all schemas. */
  Watch.State state() throws SQLException {
    String query =
        "SELECT (%s) || (SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM theirs.task_memories t), (%s)"
            .formatted(
                CATALOG.replace("schemas", "n.nspname = 'theirs'"),
                CATALOG.replace(
                    "schemas",
                    "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"));
    return watch.state(query);
  }

  boolean theirsIsUntouched(Watch.State now) {
    return now.theirs().equals(theirs);
  }

  int leftInTransaction() throws SQLException {
    return watch.leftInTransaction();
  }

  @Override
  public void close() throws SQLException {
    joined.close();
    watch.close();
    pool.close();
    scratch.close();
  }
}
