package io.agentmemory.consolidation.it.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class PostgresServerTest {
  @RegisterExtension final EmptyDatabase database = new EmptyDatabase();

  @Test
  void searchesByVector() throws SQLException {
    execute(
        """
        create extension vector;
        create table t (v vector(2));
        create index on t using hnsw (v vector_cosine_ops);
        insert into t values ('[1,2]'), ('[-1,2]')
        """);
    assertThat(query(database.get(), "select v from t order by v <=> '[2,3]' limit 1"))
        .isEqualTo("[1,2]");
  }

  @Test
  void foldsTheCaseOfLettersBeyondAscii() throws SQLException {
    assertThat(query(database.get(), "select lower('É')")).isEqualTo("é");
  }

  @Test
  void givesEachDatabaseAsItsOwn() throws SQLException {
    try (ScratchDatabase other = database.get().server().freshDatabase("other")) {
      assertThat(query(other, "select current_database()"))
          .isEqualTo(other.name())
          .isNotEqualTo(query(database.get(), "select current_database()"));
    }
  }

  @Test
  void dropsADatabaseInUse() throws SQLException {
    ScratchDatabase other = database.get().server().freshDatabase("other");
    try (Connection connection = other.dataSource().getConnection()) {
      other.close();
      assertThat(connection.isValid(1)).isFalse();
    }
    assertThat(
            query(
                database.get(),
                "select count(*) from pg_database where datname = '%s'".formatted(other.name())))
        .isEqualTo("0");
  }

  @Test
  void refusesANameThatPostgresWouldCut() {
    assertThatThrownBy(() -> database.get().server().freshDatabase("x".repeat(51)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("50 bytes");
  }

  @Test
  void dumpsEqualSchemasAsEqualText() throws SQLException {
    String empty = database.dumpSchema();
    execute("create table t (id int)");
    assertThat(database.dumpSchema("--no-owner"))
        .contains("CREATE TABLE public.t")
        .doesNotContain("OWNER");
    execute("drop table t");
    assertThat(database.dumpSchema()).isEqualTo(empty);
  }

  @Test
  void tellsWhatAFailingClientSaid() {
    assertThatThrownBy(
            () -> database.get().server().client(database.name(), "psql", "-c", "select nothing"))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("psql")
        .hasMessageContaining("column \"nothing\" does not exist");
  }

  private void execute(String sql) throws SQLException {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static String query(ScratchDatabase database, String sql) throws SQLException {
    try (Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getString(1);
    }
  }
}
