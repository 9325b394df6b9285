package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.schema.IndexBuilds;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaException;
import io.agentmemory.consolidation.schema.SchemaMismatchException;
import io.agentmemory.consolidation.schema.SchemaOptions;
import io.agentmemory.consolidation.schema.SchemaSqlException;
import io.agentmemory.consolidation.schema.SchemaStatus;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.postgresql.ds.PGSimpleDataSource;

/** pgvector missing, old, in another schema, or not to be created by this role. */
class ExtensionTest {
  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();

  @Test
  void isCreatedWhereItIsMissingAndStaysAfterTheWayBack() {
    Schema schema = Schema.on(database.dataSource());
    assertThat(schema.status().extensionVersion()).isNull();
    assertThat(schema.upgrade().notes()).anyMatch(note -> note.startsWith("Created the extension"));
    assertThat(schema.downgradeToNothing().notes())
        .anyMatch(note -> note.contains("stays in schema public"));
    SchemaStatus status = schema.status();
    assertThat(status.extensionSchema()).isEqualTo("public");
    assertThat(status.applied()).isEmpty();
  }

  @Test
  void mayLiveInASchemaOfItsOwn() throws SQLException {
    Sql.run(
        database.dataSource(),
        "CREATE SCHEMA \"Ext 1\"; CREATE EXTENSION vector WITH SCHEMA \"Ext 1\"");
    String before = database.dumpSchema();
    SchemaOptions options = SchemaOptions.builder().schema("memories").dimensions(3072).build();
    Schema schema = Schema.on(database.dataSource(), options);
    schema.upgrade();
    assertThat(schema.verify()).isEmpty();
    try (Connection connection = database.dataSource().getConnection()) {
      assertThat(Schema.inspect(connection, options).extensionSchema()).isEqualTo("Ext 1");
    }
    schema.downgradeToNothing();
    assertThat(database.dumpSchema()).isEqualTo(before);
  }

  @Test
  void isAskedForWithTheExactStatementWhereTheRoleMayNotCreateIt() {
    as(
        role -> {
          Sql.run(database.dataSource(), "GRANT ALL ON SCHEMA public TO " + role);
        },
        schema -> {
          assertThatExceptionOfType(SchemaException.class)
              .isThrownBy(schema::upgrade)
              .withMessageContaining(
                  "Have a superuser run, in this database: CREATE EXTENSION vector WITH SCHEMA"
                      + " public");
          Sql.run(database.dataSource(), "CREATE EXTENSION vector WITH SCHEMA public");
          assertThat(schema.upgrade().applied()).contains("consolidation_001");
          assertThat(schema.verify()).isEmpty();
          schema.downgradeToNothing();
        });
  }

  @Test
  void isNoHelpToARoleThatMayNotCreateTables() {
    Sql.run(
        database.dataSource(),
        "CREATE EXTENSION vector; REVOKE CREATE ON SCHEMA public FROM public");
    as(
        role -> {},
        schema ->
            assertThatExceptionOfType(SchemaSqlException.class)
                .isThrownBy(schema::upgrade)
                .withMessageContaining("create table consolidation_history failed")
                .withMessageContaining("SQLSTATE 42501")
                .withMessageContaining("The role lacks that privilege"));
  }

  @Test
  void isEnoughForARoleWithoutCreateOnTheDatabaseThatOwnsItsSchema() {
    Sql.run(
        database.dataSource(),
        "CREATE EXTENSION vector; REVOKE ALL ON SCHEMA public FROM public;"
            + " GRANT USAGE ON SCHEMA public TO public");
    SchemaOptions options = SchemaOptions.builder().schema("memories").dimensions(3).build();
    as(
        role -> {
          assertThat(
                  Sql.rows(
                      database.dataSource(),
                      "SELECT has_database_privilege('%s', '%s', 'CREATE')"
                          .formatted(role, database.name())))
              .containsExactly("f");
        },
        options,
        schema ->
            assertThatExceptionOfType(SchemaSqlException.class)
                .isThrownBy(schema::upgrade)
                .withMessageContaining("create schema memories failed with SQLSTATE 42501")
                .withMessageContaining("The role lacks that privilege"));
    as(
        role -> {
          Sql.run(database.dataSource(), "CREATE SCHEMA memories AUTHORIZATION " + role);
        },
        options,
        schema -> {
          assertThat(schema.upgrade().applied()).contains("consolidation_001");
          assertThat(schema.verify()).isEmpty();
          assertThat(schema.plan().isEmpty()).isTrue();
          schema.downgradeToNothing();
          assertThat(schema.withIndexBuilds(IndexBuilds.ONLINE).upgrade().applied()).isNotEmpty();
        });
  }

  @Test
  void isRefusedBelowTheMinimumAndWarnedOfBelowTheSoundVersion() {
    Schema schema = Schema.on(database.dataSource());
    Sql.run(database.dataSource(), "CREATE EXTENSION vector");
    pretendVersion("0.7.4");
    assertThatExceptionOfType(SchemaException.class)
        .isThrownBy(schema::upgrade)
        .withMessageContaining("pgvector 0.7.4 is installed in this database, this library needs")
        .withMessageContaining("ALTER EXTENSION vector UPDATE");
    pretendVersion("0.8.3");
    assertThat(schema.upgrade().warnings())
        .singleElement()
        .asString()
        .contains("pgvector 0.8.3 has known faults");
    assertThat(schema.upgrade().warnings()).hasSize(1);
    pretendVersion("0.8.4");
    assertThat(schema.upgrade().warnings()).isEmpty();
  }

  @Test
  void isMissedByADatabaseThatWasNeverUpgraded() throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      assertThatExceptionOfType(SchemaMismatchException.class)
          .isThrownBy(() -> Schema.inspect(connection, SchemaOptions.defaults()));
    }
  }

  private void pretendVersion(String version) {
    Sql.run(
        database.dataSource(),
        "UPDATE pg_extension SET extversion = '" + version + "' WHERE extname = 'vector'");
  }

  private void as(Consumer<String> prepare, Consumer<Schema> work) {
    as(prepare, SchemaOptions.defaults(), work);
  }

  /** Works as a role that is no superuser, named like the database, and drops it. */
  private void as(Consumer<String> prepare, SchemaOptions options, Consumer<Schema> work) {
    String role = database.name() + "_role";
    Sql.run(database.dataSource(), "CREATE ROLE " + role + " LOGIN PASSWORD 'secret'");
    try {
      prepare.accept(role);
      PGSimpleDataSource dataSource = new PGSimpleDataSource();
      dataSource.setUrl(database.jdbcUrl());
      dataSource.setUser(role);
      dataSource.setPassword("secret");
      work.accept(Schema.on((DataSource) dataSource, options));
    } finally {
      Sql.run(database.dataSource(), "DROP OWNED BY " + role + "; DROP ROLE " + role);
    }
  }
}
