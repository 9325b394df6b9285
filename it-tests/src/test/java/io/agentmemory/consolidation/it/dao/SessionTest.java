package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.CallResult;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationJob;
import io.agentmemory.consolidation.dao.ConsolidationObserver;
import io.agentmemory.consolidation.dao.DatabaseException;
import io.agentmemory.consolidation.dao.InvalidInputException;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.ObservedCall;
import io.agentmemory.consolidation.dao.Outcome;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.dao.Sources;
import io.agentmemory.consolidation.dao.TriggerType;
import io.agentmemory.consolidation.schema.SchemaMismatchException;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;
import org.postgresql.ds.PGSimpleDataSource;

/** Connections, transactions, timeouts and failures. */
@Timeout(120)
class SessionTest {
  private static final String P = "project";

  @RegisterExtension
  final TestDatabase database = TestDatabase.with(TestDatabase.SMALL).withoutPool();

  private static NewMemory memory() {
    return NewMemory.builder(P, MemoryType.LEARNING, AbstractionLevel.CONCRETE, "learned").build();
  }

  private static NewJob job() {
    return NewJob.builder(P, TriggerType.MANUAL).build();
  }

  private HikariDataSource pool(boolean autoCommit) {
    HikariConfig config = new HikariConfig();
    config.setDataSource(database.dataSource());
    config.setAutoCommit(autoCommit);
    config.setMaximumPoolSize(1);
    return new HikariDataSource(config);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void everyCallCommitsAndGivesTheConnectionBackAsItWas(boolean autoCommit) throws Exception {
    database.taskMemory("a", P);
    try (HikariDataSource pool = pool(autoCommit)) {
      Consolidation consolidation = Consolidation.on(pool, database.options());
      String settings = settings(pool);
      consolidation.jobs().enqueue(job());
      givenBack(pool, autoCommit, settings);
      consolidation.jobs().list(P, PageRequest.first(1));
      givenBack(pool, autoCommit, settings);
      consolidation.taskMemories().unconsolidated(P, PageRequest.first(1));
      givenBack(pool, autoCommit, settings);
      consolidation.consolidate(memory(), Sources.ofTaskMemories("a"));
      givenBack(pool, autoCommit, settings);
      assertThatThrownBy(() -> consolidation.consolidate(memory(), Sources.ofTaskMemories("a")))
          .isNotNull();
      givenBack(pool, autoCommit, settings);
      consolidation.withTimeout(Duration.ofSeconds(5)).jobs().claim(P);
      givenBack(pool, autoCommit, settings);
    }
    assertThat(database.row("select status from consolidation_jobs")).isEqualTo("running");
    assertThat(database.row("select is_consolidated from task_memories")).isEqualTo("t");
  }

  /** All settings, and the names of what else a session can hold. */
  private static String settings(DataSource pool) throws SQLException {
    try (Connection connection = pool.getConnection()) {
      String settings =
          TestDatabase.rows(
                  connection,
                  """
                  select name, setting from pg_settings where name not like 'hnsw.%'
                    and name not like 'ivfflat.%' and name not like 'consolidation.%'
                  order by name""")
              .toString();
      if (!connection.getAutoCommit()) {
        connection.rollback();
      }
      return settings;
    }
  }

  private static void givenBack(DataSource pool, boolean autoCommit, String settings)
      throws SQLException {
    try (Connection connection = pool.getConnection()) {
      assertThat(connection.unwrap(BaseConnection.class).getTransactionState())
          .isEqualTo(TransactionState.IDLE);
      assertThat(connection.getAutoCommit()).isEqualTo(autoCommit);
    }
    assertThat(settings(pool)).isEqualTo(settings);
  }

  @Test
  void aConnectionThatIsInATransactionIsNotOurs() throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      connection.createStatement().execute("select 1");
      DataSource shared = always(connection);
      assertThatThrownBy(() -> Consolidation.on(shared, database.options()).jobs().enqueue(job()))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("joining");
      connection.rollback();
    }
  }

  private static DataSource always(Connection connection) {
    return proxy(
        DataSource.class,
        (method, arguments) ->
            proxy(
                Connection.class,
                (called, values) ->
                    called.getName().equals("close") ? null : invoke(connection, called, values)));
  }

  @Test
  void readsWorkWhereNothingCanBeWritten() throws SQLException {
    database.taskMemory("a", P);
    ConsolidationJob job = database.consolidation().jobs().enqueue(job());
    Consolidation replica =
        Consolidation.on(
            database.dataSource("-c default_transaction_read_only=on"), database.options());
    assertThat(replica.jobs().find(P, job.id())).contains(job);
    assertThat(replica.jobs().list(P, PageRequest.first(1)).items()).containsExactly(job);
    assertThat(replica.taskMemories().unconsolidated(P, PageRequest.first(1)).items()).hasSize(1);
    DatabaseException refused =
        assertThrows(DatabaseException.class, () -> replica.jobs().enqueue(job()));
    assertThat(refused.sqlState()).isEqualTo("25006");
    assertThat(refused.outcome()).isEqualTo(Outcome.DID_NOT_HAPPEN);
    assertThat(refused.isRetryable()).isFalse();
    assertThrows(
        DatabaseException.class, () -> replica.consolidate(memory(), Sources.ofTaskMemories("a")));
  }

  @Test
  void optionsThatDoNotFitAreRefusedAtTheFirstUse() {
    SchemaOptions other = database.options().toBuilder().dimensions(4).build();
    Consolidation wrong = Consolidation.on(database.dataSource(), other);
    assertThatThrownBy(() -> wrong.jobs().find(P, "id"))
        .isInstanceOf(SchemaMismatchException.class)
        .hasMessageContaining("dimensions");
    Consolidation elsewhere =
        Consolidation.on(
            database.dataSource(), database.options().toBuilder().schema("elsewhere").build());
    assertThatThrownBy(() -> elsewhere.jobs().find(P, "id"))
        .isInstanceOf(SchemaMismatchException.class);
  }

  @Test
  void aCallThatTakesTooLongIsCancelled() throws Exception {
    database.taskMemory("a", P);
    try (Connection blocker = database.dataSource().getConnection()) {
      blocker.setAutoCommit(false);
      blocker.createStatement().execute("lock table task_memories in access exclusive mode");
      Consolidation hurried = database.consolidation().withTimeout(Duration.ofMillis(150));
      long start = System.nanoTime();
      DatabaseException late =
          assertThrows(
              DatabaseException.class,
              () -> hurried.consolidate(memory(), Sources.ofTaskMemories("a")));
      Duration took = Duration.ofNanos(System.nanoTime() - start);
      assertThat(took).isBetween(Duration.ofMillis(100), Duration.ofSeconds(10));
      assertThat(late.sqlState()).isEqualTo("57014");
      assertThat(late.operation()).isEqualTo("consolidate");
      assertThat(late.outcome()).isEqualTo(Outcome.DID_NOT_HAPPEN);
      assertThat(late.isRetryable()).isTrue();
      assertThrows(
          DatabaseException.class,
          () -> hurried.taskMemories().unconsolidated(P, PageRequest.first(1)));
      blocker.rollback();
      Consolidation patient = hurried.withTimeout(Duration.ofMinutes(1));
      patient.consolidate(memory(), Sources.ofTaskMemories("a"));
    }
  }

  @Test
  void jdbiStatementsAreLimitedToo() throws Exception {
    try (Connection blocker = database.dataSource().getConnection()) {
      blocker.setAutoCommit(false);
      blocker.createStatement().execute("lock table consolidation_jobs in access exclusive mode");
      Consolidation hurried = database.consolidation().withTimeout(Duration.ofMillis(150));
      DatabaseException late =
          assertThrows(DatabaseException.class, () -> hurried.jobs().enqueue(job()));
      assertThat(late.sqlState()).isEqualTo("57014");
      assertThat(late.outcome()).isEqualTo(Outcome.DID_NOT_HAPPEN);
      blocker.rollback();
    }
    assertThat(database.row("select count(*) from consolidation_jobs")).isEqualTo("0");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theFirstCallIsLimitedWhileItReadsWhatIsInTheDatabase(boolean writes) throws Exception {
    try (Connection blocker = database.dataSource().getConnection()) {
      blocker.setAutoCommit(false);
      blocker.createStatement().execute("lock table consolidation_history");
      Consolidation hurried =
          Consolidation.on(database.dataSource("-c statement_timeout=30s"), database.options())
              .withTimeout(Duration.ofMillis(150));
      long start = System.nanoTime();
      DatabaseException late =
          assertThrows(
              DatabaseException.class,
              () -> {
                if (writes) {
                  hurried.jobs().enqueue(job());
                } else {
                  hurried.jobs().find(P, "id");
                }
              });
      assertThat(Duration.ofNanos(System.nanoTime() - start))
          .isBetween(Duration.ofMillis(100), Duration.ofSeconds(20));
      assertThat(late.sqlState()).isEqualTo("57014");
      assertThat(late.outcome()).isEqualTo(Outcome.DID_NOT_HAPPEN);
      assertThat(late.isRetryable()).isTrue();
      blocker.rollback();
      hurried.withTimeout(Duration.ofMinutes(1)).jobs().enqueue(job());
    }
    assertThat(database.row("select count(*) from consolidation_jobs")).isEqualTo("1");
  }

  @Test
  void aTimeoutMustBeMoreThanNothing() {
    Consolidation consolidation = database.consolidation();
    assertThatThrownBy(() -> consolidation.withTimeout(Duration.ZERO))
        .isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> consolidation.withTimeout(Duration.ofMillis(-1)))
        .isInstanceOf(InvalidInputException.class);
    consolidation.withTimeout(Duration.ofDays(1_000_000)).jobs().list(P, PageRequest.first(1));
  }

  @Test
  void aServerOutOfReachIsAReasonToTryAgain() {
    PGSimpleDataSource closed = new PGSimpleDataSource();
    closed.setUrl("jdbc:postgresql://localhost:1/nowhere");
    Consolidation nowhere = Consolidation.on(closed, database.options());
    DatabaseException failure =
        assertThrows(DatabaseException.class, () -> nowhere.jobs().enqueue(job()));
    assertThat(failure.sqlState()).isEqualTo("08001");
    assertThat(failure.outcome()).isEqualTo(Outcome.DID_NOT_HAPPEN);
    assertThat(failure.isRetryable()).isTrue();
    assertThat(failure).hasMessageContaining("jobs.enqueue").hasMessageContaining("08001");
  }

  @Test
  void anExhaustedPoolIsAReasonToTryAgain() throws SQLException {
    HikariConfig config = new HikariConfig();
    config.setDataSource(database.dataSource());
    config.setMaximumPoolSize(1);
    config.setConnectionTimeout(250);
    try (HikariDataSource pool = new HikariDataSource(config)) {
      Consolidation consolidation = Consolidation.on(pool, database.options());
      try (Connection held = pool.getConnection()) {
        DatabaseException failure =
            assertThrows(DatabaseException.class, () -> consolidation.jobs().enqueue(job()));
        assertThat(failure.outcome()).isEqualTo(Outcome.DID_NOT_HAPPEN);
        assertThat(failure.isRetryable()).isTrue();
        assertThat(held.isValid(1)).isTrue();
      }
      consolidation.jobs().enqueue(job());
    }
  }

  @Test
  void aConnectionCutWhileASingleStatementRunsLeavesItUnknown() throws Exception {
    DatabaseException failure = cutWhileWaiting(true);
    assertThat(failure.outcome()).isEqualTo(Outcome.UNKNOWN);
    assertThat(failure.isRetryable()).isFalse();
    assertThat(failure).hasMessageContaining("not known");
  }

  @Test
  void aConnectionCutBeforeTheCommitDidNotHappen() throws Exception {
    DatabaseException failure = cutWhileWaiting(false);
    assertThat(failure.outcome()).isEqualTo(Outcome.DID_NOT_HAPPEN);
    assertThat(failure.isRetryable()).isTrue();
  }

  private DatabaseException cutWhileWaiting(boolean single) throws Exception {
    database.taskMemory("a", P);
    Consolidation consolidation = database.consolidation();
    try (Connection blocker = database.dataSource().getConnection()) {
      blocker.setAutoCommit(false);
      blocker
          .createStatement()
          .execute("lock table consolidation_jobs, task_memories in access exclusive mode");
      CompletableFuture<Void> call =
          CompletableFuture.runAsync(
              () -> {
                if (single) {
                  consolidation.jobs().enqueue(job());
                } else {
                  consolidation.consolidate(memory(), Sources.ofTaskMemories("a"));
                }
              });
      while (database
          .rows(
              """
              select pg_terminate_backend(pid) from pg_stat_activity
              where wait_event_type = 'Lock' and datname = current_database()""")
          .isEmpty()) {
        Thread.sleep(20);
      }
      Throwable failure = assertThrows(Exception.class, call::get).getCause();
      blocker.rollback();
      return (DatabaseException) failure;
    }
  }

  @Test
  void aCommitThatLosesItsConnectionIsUnknown() throws SQLException {
    database.taskMemory("a", P);
    DataSource cut =
        proxy(
            DataSource.class,
            (method, arguments) -> {
              Connection real = database.dataSource().getConnection();
              return proxy(
                  Connection.class,
                  (called, values) -> {
                    if (called.getName().equals("commit")) {
                      database.row(
                          """
                          select count(pg_terminate_backend(pid)) from pg_stat_activity
                          where datname = current_database() and pid <> pg_backend_pid()""");
                    }
                    return invoke(real, called, values);
                  });
            });
    List<CallResult> told = new ArrayList<>();
    ConsolidationObserver observer =
        new ConsolidationObserver() {
          @Override
          public void called(ObservedCall call) {
            told.add(call.result());
          }
        };
    Consolidation consolidation = Consolidation.on(cut, database.options()).observedBy(observer);
    DatabaseException failure =
        assertThrows(
            DatabaseException.class,
            () -> consolidation.consolidate(memory(), Sources.ofTaskMemories("a")));
    assertThat(failure.outcome()).isEqualTo(Outcome.UNKNOWN);
    assertThat(failure.isRetryable()).isFalse();
    assertThat(told).containsExactly(CallResult.UNKNOWN);
  }

  @Test
  void aDeadlockIsAReasonToTryAgain() throws Exception {
    database.taskMemory("a", P);
    database.taskMemory("b", P);
    try (Connection other = database.dataSource().getConnection()) {
      other.setAutoCommit(false);
      // The victim is whoever waits last; only ours does so for longer than deadlock_timeout.
      other.createStatement().execute("set deadlock_timeout = '1h'");
      other.createStatement().execute("select from task_memories where id = 'b' for update");
      CompletableFuture<Object> call =
          CompletableFuture.supplyAsync(
              () ->
                  Consolidation.on(
                          database.dataSource("-c deadlock_timeout=2s"), database.options())
                      .consolidate(memory(), Sources.ofTaskMemories("a", "b")));
      while (database
          .rows(
              """
              select 1 from pg_stat_activity
              where wait_event_type = 'Lock' and datname = current_database()""")
          .isEmpty()) {
        Thread.sleep(20);
      }
      other.createStatement().execute("select from task_memories where id = 'a' for update");
      DatabaseException failure =
          (DatabaseException) assertThrows(Exception.class, call::get).getCause();
      assertThat(failure.sqlState()).isEqualTo("40P01");
      assertThat(failure.outcome()).isEqualTo(Outcome.DID_NOT_HAPPEN);
      assertThat(failure.isRetryable()).isTrue();
      other.rollback();
    }
  }

  @Test
  void opensAPoolOfItsOwn() {
    String url = database.scratch().jdbcUrl();
    String user = database.scratch().server().user();
    String password = database.scratch().server().password();
    Consolidation opened = Consolidation.open(url, user, password, database.options());
    try (Consolidation view =
        opened.withTimeout(Duration.ofSeconds(30)).observedBy(new ConsolidationObserver() {})) {
      view.jobs().enqueue(job());
    }
    assertThrows(DatabaseException.class, () -> opened.jobs().enqueue(job()));
    opened.close();
  }

  @Test
  void aJoinedViewOfItClosesNothing() throws SQLException {
    try (Consolidation opened =
            Consolidation.open(
                database.scratch().jdbcUrl(),
                database.scratch().server().user(),
                database.scratch().server().password(),
                database.options());
        Connection connection = database.dataSource().getConnection()) {
      opened.joining(connection).close();
      opened.jobs().enqueue(job());
      assertThat(connection.isClosed()).isFalse();
    }
  }

  @SuppressWarnings("NullAway")
  @Test
  void refusesWhatCannotBeOpened() {
    SchemaOptions options = database.options();
    for (String url :
        new String[] {
          null,
          "",
          "jdbc:mysql://localhost/x",
          "localhost",
          "jdbc:postgresql://localhost",
          "jdbc:postgresql://localhost:port/x?password=secret"
        }) {
      assertThatThrownBy(() -> Consolidation.open(url, "u", "secret", options))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageNotContaining("secret");
    }
    assertThatThrownBy(() -> Consolidation.open("jdbc:postgresql://localhost/x", "u", "p", null))
        .isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> Consolidation.on(null, options))
        .isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> Consolidation.on(database.dataSource(), null))
        .isInstanceOf(InvalidInputException.class);
    DatabaseException failure =
        assertThrows(
            DatabaseException.class,
            () -> Consolidation.open("jdbc:postgresql://localhost:1/x", "u", "secret", options));
    assertThat(failure.isRetryable()).isTrue();
    assertThat(failure).hasMessageNotContaining("secret");
  }

  @Test
  void worksWithoutServerSidePreparedStatements() throws SQLException {
    database.taskMemory("a", P);
    Consolidation consolidation =
        Consolidation.on(database.source("prepareThreshold=0"), database.options());
    consolidation.jobs().enqueue(job());
    ConsolidationJob running = consolidation.jobs().claim(P).orElseThrow();
    consolidation.consolidate(memory(), Sources.ofTaskMemories("a"));
    consolidation.jobs().complete(running.lease(), "{}");
    assertThat(consolidation.taskMemories().unconsolidated(P, PageRequest.first(1)).items())
        .isEmpty();
  }

  @Test
  void doesNotDependOnTheSearchPath() throws SQLException {
    database.taskMemory("a", P);
    Consolidation consolidation =
        Consolidation.on(database.dataSource("-c search_path=nowhere"), database.options());
    ConsolidationJob job = consolidation.jobs().enqueue(job());
    assertThat(consolidation.jobs().list(P, PageRequest.first(5)).items()).isEqualTo(List.of(job));
    assertThat(consolidation.taskMemories().unconsolidated(P, PageRequest.first(5)).items())
        .hasSize(1);
    consolidation.consolidate(memory(), Sources.ofTaskMemories("a"));
  }

  private interface Call {
    Object on(Method method, Object[] arguments) throws Exception;
  }

  private static <T> T proxy(Class<T> type, Call call) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> call.on(method, arguments)));
  }

  private static Object invoke(Object target, Method method, Object[] arguments) throws Exception {
    try {
      return method.invoke(target, arguments);
    } catch (InvocationTargetException failure) {
      throw failure.getCause() instanceof Exception cause ? cause : failure;
    }
  }
}
