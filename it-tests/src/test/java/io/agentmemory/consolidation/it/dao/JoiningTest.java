package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.AlreadyConsolidatedException;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationJob;
import io.agentmemory.consolidation.dao.InvalidInputException;
import io.agentmemory.consolidation.dao.LeaseLostException;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.dao.Sources;
import io.agentmemory.consolidation.dao.TriggerType;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.HashPrefixSqlParser;
import org.jdbi.v3.core.statement.SqlStatements;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.transaction.support.TransactionTemplate;

/** Taking part in a transaction of the caller. */
class JoiningTest {
  private static final String P = "project";

  @RegisterExtension
  final TestDatabase database = TestDatabase.with(TestDatabase.SMALL).withoutPool();

  private Consolidation consolidation;

  @BeforeEach
  void prepare() throws SQLException {
    consolidation = database.consolidation();
    database.taskMemory("a", P);
    database.taskMemory("b", P);
  }

  private static NewMemory memory() {
    return NewMemory.builder(P, MemoryType.LEARNING, AbstractionLevel.CONCRETE, "learned").build();
  }

  private static NewJob job() {
    return NewJob.builder(P, TriggerType.MANUAL).build();
  }

  private String written() throws SQLException {
    return database.row(
        """
        select (select count(*) from consolidation_jobs),
          (select count(*) from consolidated_memories),
          (select count(*) from task_memories where is_consolidated)""");
  }

  private static void writeAndRead(Consolidation joined) {
    joined.jobs().enqueue(job());
    ConsolidationJob running = joined.jobs().claim(P).orElseThrow();
    joined.consolidate(memory(), Sources.ofTaskMemories("a"));
    joined.jobs().recordPhase(running.lease(), "merge", "{}");
    assertThat(joined.jobs().list(P, PageRequest.first(5)).items()).hasSize(1);
    assertThat(joined.taskMemories().unconsolidated(P, PageRequest.first(5)).items()).hasSize(1);
  }

  @Test
  void springsTransactionCommitsOrRollsBackWhatWeDid() throws SQLException {
    DataSource dataSource = database.dataSource();
    TransactionTemplate transactions =
        new TransactionTemplate(new DataSourceTransactionManager(dataSource));
    JdbcTemplate jdbc = new JdbcTemplate(dataSource);
    jdbc.execute("create table app (n int)");

    transactions.executeWithoutResult(
        status -> {
          jdbc.update("insert into app values (1)");
          writeAndRead(consolidation.joining(DataSourceUtils.getConnection(dataSource)));
          status.setRollbackOnly();
        });
    assertThat(written()).isEqualTo("0|0|0");

    transactions.executeWithoutResult(
        status -> {
          jdbc.update("insert into app values (1)");
          writeAndRead(consolidation.joining(DataSourceUtils.getConnection(dataSource)));
        });
    assertThat(written()).isEqualTo("1|1|1");
    assertThat(jdbc.queryForObject("select count(*) from app", Integer.class)).isEqualTo(1);
  }

  @Test
  void aLostLeaseRollsSpringsTransactionBack() throws SQLException {
    DataSource dataSource = database.dataSource();
    TransactionTemplate transactions =
        new TransactionTemplate(new DataSourceTransactionManager(dataSource));
    consolidation.jobs().enqueue(job());
    ConsolidationJob running = consolidation.jobs().claim(P).orElseThrow();
    consolidation.jobs().cancel(P, running.id());
    assertThatThrownBy(
            () ->
                transactions.executeWithoutResult(
                    status -> {
                      Consolidation joined =
                          consolidation.joining(DataSourceUtils.getConnection(dataSource));
                      joined.consolidate(memory(), Sources.ofTaskMemories("a"));
                      joined.jobs().recordPhase(running.lease(), "merge", "{}");
                    }))
        .isInstanceOf(LeaseLostException.class);
    assertThat(written()).isEqualTo("1|0|0");
  }

  @Test
  void aJdbiHandlesTransactionIsJoinedWhateverItsConfiguration() throws SQLException {
    Jdbi jdbi = Jdbi.create(database.dataSource());
    jdbi.getConfig(SqlStatements.class).setSqlParser(new HashPrefixSqlParser());
    assertThatThrownBy(
            () ->
                jdbi.useTransaction(
                    handle -> {
                      writeAndRead(consolidation.joining(handle));
                      throw new IllegalStateException("no");
                    }))
        .hasMessage("no");
    assertThat(written()).isEqualTo("0|0|0");
    jdbi.useTransaction(handle -> writeAndRead(consolidation.joining(handle)));
    assertThat(written()).isEqualTo("1|1|1");
  }

  @Test
  void theConnectionStaysOpenAndAsItWas() throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      // The extension brings its own settings once it is loaded.
      connection.createStatement().execute("select cast('[1]' as vector)");
      connection.createStatement().execute("set local hnsw.ef_search = 77");
      connection.createStatement().execute("set local statement_timeout = '55s'");
      List<String> before = settings(connection);
      Savepoint callers = connection.setSavepoint("callers");
      Consolidation joined = consolidation.joining(connection).withTimeout(Duration.ofMinutes(1));
      writeAndRead(joined);
      assertThatThrownBy(() -> joined.consolidate(memory(), Sources.ofTaskMemories("a")))
          .isInstanceOf(AlreadyConsolidatedException.class);
      joined.close();
      assertThat(connection.isClosed()).isFalse();
      assertThat(connection.getAutoCommit()).isFalse();
      assertThat(settings(connection)).isEqualTo(before);
      connection.rollback(callers);
      connection.commit();
    }
    assertThat(written()).isEqualTo("0|0|0");
  }

  private static List<String> settings(Connection connection) throws SQLException {
    return TestDatabase.rows(
        connection,
        """
        select name, setting from pg_settings
        where name not like 'consolidation.%' order by name""");
  }

  @Test
  void inAutocommitSingleStatementsWorkAndOthersAreRefused() throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      Consolidation joined = consolidation.joining(connection);
      joined.jobs().enqueue(job());
      assertThat(joined.jobs().list(P, PageRequest.first(5)).items()).hasSize(1);
      assertThatThrownBy(() -> joined.consolidate(memory(), Sources.ofTaskMemories("a")))
          .isInstanceOf(InvalidInputException.class)
          .hasMessageContaining("autocommit");
      assertThat(connection.getAutoCommit()).isTrue();
    }
    assertThat(written()).isEqualTo("1|0|0");
  }

  @SuppressWarnings("NullAway")
  @Test
  void refusesNull() {
    assertThatThrownBy(() -> consolidation.joining((Connection) null))
        .isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> consolidation.joining((Handle) null))
        .isInstanceOf(InvalidInputException.class);
  }
}
