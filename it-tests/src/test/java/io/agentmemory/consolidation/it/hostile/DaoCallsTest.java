package io.agentmemory.consolidation.it.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.InvalidInputException;
import java.lang.reflect.Executable;
import java.sql.SQLException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/**
 * All public constructors and methods of the data access with hostile arguments: nothing comes of
 * it but what is documented.
 *
 * <p>{@code -Dconsolidation.hostile.calls} says how many calls, {@code
 * -Dconsolidation.hostile.seed} which. What takes its time from the clock, as a call with a timeout
 * does, may end otherwise when the same seed is run again.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DaoCallsTest {
  /** Each set of conditions of a filter and of parts of an update has its own text. */
  private static final int MOST_TEXTS = 1_500;

  private final List<Executable> entries = EntryPoints.of("io.agentmemory.consolidation.dao");
  private final long seed = Long.getLong("consolidation.hostile.seed", 2_026L);
  private Tenants tenants;
  private HostileCalls calls;

  @BeforeAll
  @Timeout(value = 12, unit = TimeUnit.HOURS) // for as many calls as somebody wants
  void run() throws SQLException {
    tenants = new Tenants();
    Values values = new Values(seed);
    DaoCases cases = new DaoCases(tenants, values);
    calls = new HostileCalls(seed, entries, values, cases);
    cases.teach(calls.arguments());
    calls.run(2_000, tenants.sql());
  }

  @AfterAll
  void close() throws SQLException {
    tenants.close();
  }

  @Test
  void nothing_comes_of_hostile_arguments_but_what_is_documented() {
    assertThat(calls.faults()).as(calls.toString()).isEmpty();
  }

  @Test
  void every_public_constructor_and_method_was_called() {
    List<String> names = EntryPoints.names(entries);
    assertThat(names).contains("ConsolidatedMemoryDao.find(String,String)");
    assertThat(calls.called()).as(calls.toString()).containsAll(names);
  }

  @Test
  void no_sql_is_built_from_values() {
    assertThat(tenants.sql().texts())
        .as(calls.toString())
        .hasSizeBetween(100, MOST_TEXTS)
        .allSatisfy(sql -> assertThat(sql.toLowerCase(Locale.ROOT)).doesNotContain(Values.MARKER));
  }

  @Test
  void the_database_and_the_pool_are_as_well_as_before() throws SQLException {
    assertThat(tenants.leftInTransaction()).isZero();
    assertThat(tenants.pool().getHikariPoolMXBean().getActiveConnections()).isZero();
    tenants.reset();
    assertThat(tenants.consolidation().memories().find(Values.MINE, Values.MARKER + "m1"))
        .isPresent();
  }

  @Test
  void a_fault_would_be_found() throws NoSuchMethodException {
    Executable find =
        io.agentmemory.consolidation.dao.ConsolidatedMemoryDao.class.getMethod(
            "find", String.class, String.class);
    Object[] given = {"x", "y"};
    assertThat(Verdict.of(find, given, new IllegalStateException())).isNotNull();
    assertThat(Verdict.of(find, given, new NullPointerException())).isNotNull();
    assertThat(InvalidInputException.class.getConstructors()).isEmpty();
  }
}
