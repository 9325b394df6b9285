package io.agentmemory.consolidation.it.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.schema.Schema;
import java.lang.reflect.Executable;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/**
 * All public constructors and methods of the schema and of its definitions with hostile arguments:
 * nothing comes of it but what is documented. Runs as {@link DaoCallsTest} does.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SchemaCallsTest {
  private final List<Executable> entries =
      EntryPoints.of("io.agentmemory.consolidation.schema", "io.agentmemory.consolidation.ddl");
  private final long seed = Long.getLong("consolidation.hostile.seed", 2_026L);
  private Schemas schemas;
  private HostileCalls calls;

  @BeforeAll
  @Timeout(value = 12, unit = TimeUnit.HOURS) // for as many calls as somebody wants
  void run() throws SQLException {
    schemas = new Schemas();
    Values values = new Values(seed);
    SchemaCases cases = new SchemaCases(schemas, values);
    calls = new HostileCalls(seed, entries, values, cases);
    cases.teach(calls.arguments());
    calls.run(1_500, schemas.sql());
  }

  @AfterAll
  void close() throws SQLException {
    schemas.close();
  }

  @Test
  void nothing_comes_of_hostile_arguments_but_what_is_documented() {
    assertThat(calls.faults()).as(calls.toString()).isEmpty();
  }

  @Test
  void every_public_constructor_and_method_was_called() {
    List<String> names = EntryPoints.names(entries);
    assertThat(names).contains("Schema.upgradeTo(String)", "Change.create(Table)");
    assertThat(calls.called()).as(calls.toString()).containsAll(names);
  }

  @Test
  void the_database_and_the_pool_are_as_well_as_before() throws SQLException {
    assertThat(schemas.leftInTransaction()).isZero();
    assertThat(schemas.pool().getHikariPoolMXBean().getActiveConnections()).isZero();
    schemas.reset();
    assertThat(Schema.on(schemas.pool(), Schemas.OPTIONS).verify()).isEmpty();
  }

  @Test
  void a_change_of_the_other_schema_would_be_found() throws SQLException {
    schemas.reset();
    Watch.State before = schemas.state();
    assertThat(schemas.theirsIsUntouched(before)).isTrue();
    try (Connection connection = schemas.pool().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE INDEX more ON theirs.consolidation_jobs (id)");
      assertThat(schemas.theirsIsUntouched(schemas.state())).isFalse();
      statement.execute("DROP INDEX theirs.more");
      statement.execute("CREATE INDEX more ON public.consolidation_jobs (id)");
      assertThat(schemas.state().all()).isNotEqualTo(before.all());
      statement.execute("DROP INDEX public.more");
    }
  }
}
