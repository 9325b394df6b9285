package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.direction;
import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.DatabaseException;
import io.agentmemory.consolidation.dao.LoadOptions;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.Outcome;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A timeout holds in calls of many statements too, and in those that no statement limits. */
@Timeout(180)
class LongCallsTest {
  @RegisterExtension final TestDatabase database = TestDatabase.with(TestDatabase.SMALL);

  private static void timedOut(DatabaseException failure) {
    assertThat(failure.sqlState()).as("%s", failure).isEqualTo("57014");
    assertThat(failure.outcome()).as("%s", failure).isEqualTo(Outcome.DID_NOT_HAPPEN);
    assertThat(failure.isRetryable()).as("%s", failure).isTrue();
  }

  private Consolidation within(Duration timeout) {
    return database.consolidation().withTimeout(timeout);
  }

  private static NewMemory numbered(int number) {
    return memory("p", "text " + number)
        .id("m" + number)
        .embedding(direction(3, number % 90))
        .build();
  }

  private static List<NewMemory> memories(int count) {
    return IntStream.range(0, count).mapToObj(LongCallsTest::numbered).toList();
  }

  /** What fires the trigger takes so long. */
  private void slow(String seconds, String fired) throws SQLException {
    database.execute(
        """
        create function slow() returns trigger language plpgsql as $$
          begin
            perform pg_sleep(%s);
            return null;
          end $$;
        create trigger slow %s execute function slow()"""
            .formatted(seconds, fired));
  }

  private String count() throws SQLException {
    return database.row("select count(*) from consolidated_memories");
  }

  @Test
  void anInsertForWhichNoTimeIsLeftDidNotHappen() throws SQLException {
    database.memories().insert(numbered(1));
    timedOut(
        assertThrows(
            DatabaseException.class,
            () -> within(Duration.ofNanos(1)).memories().insert(numbered(2))));
    assertThat(count()).isEqualTo("1");
  }

  @Test
  void allBatchesOfAListHaveOneTime() throws SQLException {
    slow(
        "1.5",
        """
        after insert on consolidated_memories
        for each row when (new.id in ('m1', 'm501'))""");
    timedOut(
        assertThrows(
            DatabaseException.class,
            () -> within(Duration.ofMillis(2_500)).memories().insertAll(memories(1_000))));
    assertThat(count()).isEqualTo("0");
  }

  @Test
  void aLoadThatWaitsForAnotherTransactionEndsInTime() throws Exception {
    try (Connection other = database.dataSource().getConnection()) {
      other.setAutoCommit(false);
      database.consolidation().joining(other).memories().insert(numbered(1));
      CompletableFuture<Object> load =
          CompletableFuture.supplyAsync(
              () ->
                  within(Duration.ofMillis(300))
                      .memories()
                      .load(memories(2).iterator(), LoadOptions.defaults()));
      timedOut(
          (DatabaseException)
              assertThrows(ExecutionException.class, () -> load.get(60, TimeUnit.SECONDS))
                  .getCause());
      other.rollback();
    }
    assertThat(count()).isEqualTo("0");
  }

  @Test
  void aLoadLeavesTheStatementTimeoutOfAJoinedTransactionAsItWas() throws SQLException {
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      connection.createStatement().execute("set local statement_timeout = '90s'");
      Consolidation joined = within(Duration.ofMinutes(1)).joining(connection);
      joined.memories().load(memories(2).iterator(), LoadOptions.defaults());
      assertThat(TestDatabase.rows(connection, "show statement_timeout")).containsExactly("90s");
      connection.commit();
    }
    assertThat(count()).isEqualTo("2");
  }

  @Test
  void aLoadKeepsToAShorterTimeoutOfTheServers() throws Exception {
    try (Connection other = database.dataSource().getConnection()) {
      other.setAutoCommit(false);
      database.consolidation().joining(other).memories().insert(numbered(1));
      Consolidation hurried =
          Consolidation.on(database.dataSource("-c statement_timeout=300"), database.options());
      CompletableFuture<Object> load =
          CompletableFuture.supplyAsync(
              () ->
                  hurried
                      .withTimeout(Duration.ofHours(1))
                      .memories()
                      .load(memories(2).iterator(), LoadOptions.defaults()));
      timedOut(
          (DatabaseException)
              assertThrows(ExecutionException.class, () -> load.get(60, TimeUnit.SECONDS))
                  .getCause());
      other.rollback();
    }
  }

  @Test
  void anExportEndsWhereItsTimeDoes() {
    database.memories().load(memories(2).iterator(), LoadOptions.defaults());
    List<String> read = new ArrayList<>();
    timedOut(
        assertThrows(
            DatabaseException.class,
            () ->
                within(Duration.ofMillis(500))
                    .memories()
                    .export(
                        "p",
                        all -> {
                          all.forEach(
                              memory -> {
                                read.add(memory.id());
                                pass(Duration.ofMillis(500));
                              });
                          return null;
                        })));
    assertThat(read).hasSizeLessThan(2);
  }

  private static void pass(Duration time) {
    long end = System.nanoTime() + time.toNanos();
    while (System.nanoTime() < end) {
      LockSupport.parkNanos(end - System.nanoTime());
    }
  }

  @Test
  void allBatchesOfADeletedProjectHaveOneTimeAndThoseThatWereDoneStayDone() throws SQLException {
    database.memories().insertAll(memories(40));
    slow("0.05", "after delete on consolidated_memories for each statement");
    timedOut(
        assertThrows(
            DatabaseException.class,
            () -> within(Duration.ofSeconds(1)).memories().deleteProject("p", 1)));
    database.execute("drop trigger slow on consolidated_memories");
    int left = Integer.parseInt(count());
    assertThat(left).isBetween(1, 40);
    assertThat(database.memories().deleteProject("p", 10)).isEqualTo(left);
  }

  @Test
  void theOutcomeOfADeletedProjectIsThatOfTheBatchThatFailed() throws SQLException {
    database.memories().insertAll(memories(4));
    database.execute(
        """
        create sequence batches;
        create function fail() returns trigger language plpgsql as $$
          begin
            if nextval('batches') = 3 then
              raise exception 'as the test wants' using errcode = '40P01';
            end if;
            return null;
          end $$;
        create trigger fail after delete on consolidated_memories
          for each statement execute function fail()""");
    DatabaseException failure =
        assertThrows(DatabaseException.class, () -> database.memories().deleteProject("p", 1));
    assertThat(failure.outcome()).isEqualTo(Outcome.DID_NOT_HAPPEN);
    assertThat(failure.isRetryable()).isTrue();
    assertThat(count()).isEqualTo("2");
    assertThat(database.memories().deleteProject("p", 1)).isEqualTo(2);
  }
}
