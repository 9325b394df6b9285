package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.DatabaseException;
import io.agentmemory.consolidation.schema.Finding;
import io.agentmemory.consolidation.schema.Schema;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Operators and functions that somebody made where the search_path looks. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SearchPathTest {
  /**
   * Fits the types of the tables' columns better than PostgreSQL's own operator, which is of {@code
   * text}; so that it is taken wherever its schema stands in the path.
   */
  private static final String TRAP =
      """
      create schema hostile;
      create function hostile.caught(varchar, varchar) returns boolean language plpgsql
        as 'begin raise exception ''caught''; end';
      create operator hostile.= (leftarg = varchar, rightarg = varchar, function = hostile.caught);
      create function hostile.caught(bigint) returns boolean language plpgsql
        as 'begin raise exception ''caught''; end';
      create function hostile.now() returns timestamptz language plpgsql
        as 'begin raise exception ''caught''; end';
      create function hostile.cardinality(varchar[]) returns int language plpgsql
        as 'begin raise exception ''caught''; end';
      """;

  @RegisterExtension static final TestDatabase DATABASE = TestDatabase.withDimensions(3);

  @BeforeAll
  void fill() throws SQLException {
    ProjectIsolationTest.fill(DATABASE);
    DATABASE.execute(TRAP);
  }

  private static DataSource withPath(String path) {
    return DATABASE.source("options=-c%20search_path=" + path);
  }

  static Set<String> cases() {
    return ProjectIsolationTest.cases();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void a_path_of_pg_catalog_alone_serves_every_method_and_reaches_no_trap(String method)
      throws SQLException {
    Consolidation consolidation = Consolidation.on(withPath("pg_catalog"), DATABASE.options());
    try (Connection connection = withPath("pg_catalog").getConnection()) {
      connection.setAutoCommit(false);
      ProjectIsolationTest.CASES.get(method).run(consolidation.joining(connection));
      connection.rollback();
    }
  }

  @Test
  void a_path_with_a_schema_in_which_others_create_reaches_what_they_made() {
    Consolidation consolidation = Consolidation.on(withPath("hostile,public"), DATABASE.options());
    assertThatThrownBy(() -> consolidation.memories().find("mine", "mine1"))
        .isInstanceOf(DatabaseException.class)
        .hasMessageContaining("caught");
  }

  @Test
  void the_check_up_names_the_schemas_of_the_path_in_which_everybody_may_create()
      throws SQLException {
    assertThat(findings("hostile,public")).isEmpty();
    DATABASE.execute("grant create on schema hostile to public");
    assertThat(findings("hostile,public"))
        .singleElement()
        .matches(finding -> finding.severity() == Finding.Severity.WARNING)
        .extracting(Finding::remedy)
        .isEqualTo("REVOKE CREATE ON SCHEMA hostile FROM PUBLIC");
    assertThat(findings("pg_catalog")).isEmpty();
    DATABASE.execute("revoke create on schema hostile from public");
  }

  private static List<Finding> findings(String path) {
    return Schema.on(withPath(path), DATABASE.options()).checkUp().stream()
        .filter(finding -> finding.what().contains("search_path"))
        .toList();
  }
}
