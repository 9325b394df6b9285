package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.schema.IndexBuilds;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaBusyException;
import io.agentmemory.consolidation.schema.SchemaException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What the application's connections go through, and how they come back. */
class ConnectionTest {
  private static final String SETTINGS =
      "SELECT name, setting FROM pg_settings WHERE source = 'session' AND name NOT IN"
          + " ('transaction_isolation', 'transaction_read_only')"
          + " ORDER BY name";

  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();

  @Test
  void comeBackAsTheyWereFromAPoolOfOne() throws SQLException {
    HikariConfig config = new HikariConfig();
    config.setDataSource(database.dataSource());
    config.setMaximumPoolSize(1);
    config.setConnectionTimeout(2_000);
    config.setAutoCommit(false);
    config.setReadOnly(true);
    config.setTransactionIsolation("TRANSACTION_REPEATABLE_READ");
    try (HikariDataSource pool = new HikariDataSource(config)) {
      List<String> before = settings(pool);
      Schema schema = Schema.on(pool);
      schema.upgrade();
      schema.upgrade();
      schema.status();
      schema.verify();
      schema.downgradeToNothing();
      assertThat(settings(pool)).isEqualTo(before);
      try (Connection connection = pool.getConnection()) {
        assertThat(connection.getAutoCommit()).isFalse();
        assertThat(connection.isReadOnly()).isTrue();
        assertThat(connection.getTransactionIsolation())
            .isEqualTo(Connection.TRANSACTION_REPEATABLE_READ);
        assertThat(
                Sql.rows(connection, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"))
            .containsExactly("0");
        connection.rollback();
      }
    }
  }

  @Test
  void comeBackWithoutAutocommitFromWhatNeedsThemWithItToo() throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      DataSource lent = Uncloseable.dataSource(connection);
      Schema schema =
          Schema.on(database.dataSource()).withDeadline(Duration.ZERO).withDirectConnections(lent);

      schema.upgradeTo("consolidation_001");
      assertThat(schema.withIndexBuilds(IndexBuilds.ONLINE).upgrade().built()).isNotEmpty();
      assertThat(connection.getAutoCommit()).as("after builds online").isFalse();

      schema.convertEmbeddings();
      assertThat(connection.getAutoCommit()).as("after a conversion").isFalse();

      Schema.on(database.dataSource())
          .bulkLoad(
              () ->
                  assertThatExceptionOfType(SchemaBusyException.class)
                      .isThrownBy(() -> schema.bulkLoad(() -> {})));
      assertThat(connection.getAutoCommit()).as("after a bulk load in vain").isFalse();
    }
  }

  private static List<String> settings(HikariDataSource pool) throws SQLException {
    try (Connection connection = pool.getConnection()) {
      List<String> rows = Sql.rows(connection, SETTINGS);
      connection.rollback();
      return rows;
    }
  }

  @Test
  void workUnderHostileDefaultsOfTheDatabase() throws SQLException {
    Sql.run(
        database.dataSource(),
        """
        CREATE SCHEMA evil;
        CREATE TABLE evil.task_memories (id integer);
        CREATE TABLE evil.consolidated_memories (id integer);
        CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz';
        CREATE FUNCTION evil.to_tsvector(regconfig, text) RETURNS tsvector IMMUTABLE LANGUAGE sql AS
          'SELECT ''evil''::tsvector';
        CREATE DOMAIN evil.text AS integer;
        CREATE DOMAIN evil.jsonb AS integer;
        CREATE FUNCTION evil.fail() RETURNS pg_catalog.text LANGUAGE plpgsql AS
          $$ BEGIN RAISE EXCEPTION 'evil was called'; END $$;
        CREATE FUNCTION evil.set_config(pg_catalog.text, pg_catalog.text, boolean)
          RETURNS pg_catalog.text LANGUAGE sql AS 'SELECT evil.fail()';
        CREATE FUNCTION evil.left(pg_catalog.text, integer)
          RETURNS pg_catalog.text LANGUAGE sql AS 'SELECT evil.fail()';
        CREATE FUNCTION evil.joined(pg_catalog.text, pg_catalog.text)
          RETURNS pg_catalog.text LANGUAGE sql AS 'SELECT evil.fail()';
        CREATE OPERATOR evil.||
          (FUNCTION = evil.joined, LEFTARG = pg_catalog.text, RIGHTARG = pg_catalog.text);
        """);
    Sql.run(
        database.dataSource(),
        """
        ALTER DATABASE %1$s SET search_path = evil, pg_catalog, public;
        ALTER DATABASE %1$s SET default_transaction_isolation = 'serializable';
        ALTER DATABASE %1$s SET standard_conforming_strings = off;
        ALTER DATABASE %1$s SET default_transaction_read_only = on;
        """
            .formatted(database.name()));
    Schema schema = Schema.on(database.dataSource());
    schema.upgrade();
    assertThat(schema.verify()).isEmpty();
    assertThat(
            Sql.rows(
                database.dataSource(),
                "SELECT a.atttypid::regtype::pg_catalog.text, pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a"
                    + " JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
                    + " WHERE a.attrelid = 'public.task_memories'::regclass"
                    + " AND a.attname = 'learned_at'"))
        .containsExactly("timestamp with time zone | pg_catalog.now()");
    try (Connection busy = database.dataSource().getConnection()) {
      busy.setAutoCommit(false);
      Sql.run(busy, "SET application_name = 'the reader'");
      Sql.rows(busy, "SELECT 1 FROM public.consolidation_jobs");
      Schema hasty =
          schema.withLockTimeout(Duration.ofMillis(20)).withDeadline(Duration.ofMillis(50));
      assertThatExceptionOfType(SchemaBusyException.class)
          .isThrownBy(hasty::downgradeToNothing)
          .withMessageContaining("application the reader");
    }
    schema.downgradeToNothing();
    assertThat(Sql.rows(database.dataSource(), "SELECT count(*) FROM evil.task_memories"))
        .containsExactly("0");
  }

  @Test
  void arePutOutOfTheWayOnlyWhereTheyCannotBeHad() {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(database.jdbcUrl().replaceAll(":\\d+/", ":1/"));
    config.setInitializationFailTimeout(-1);
    config.setConnectionTimeout(250);
    try (HikariDataSource pool = new HikariDataSource(config)) {
      assertThatExceptionOfType(SchemaException.class)
          .isThrownBy(() -> Schema.on(pool).upgrade())
          .withMessageContaining("The connection failed");
    }
  }
}
