package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaBusyException;
import io.agentmemory.consolidation.schema.SchemaOptions;
import io.agentmemory.consolidation.schema.ScriptContext;
import io.agentmemory.consolidation.schema.UpgradeResult;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Many that start at the same time, and others that are in the way. */
class StartersTest {
  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();

  @Test
  void tenAtOnceApplyOnce() throws Exception {
    List<Integer> applied =
        atOnce(10, i -> Schema.on(database.dataSource()).upgrade().applied().size());
    assertThat(applied).filteredOn(count -> count > 0).hasSize(1);
    assertThat(Sql.rows(database.dataSource(), "SELECT count(*) FROM consolidation_history"))
        .containsExactly(String.valueOf(applied.stream().mapToInt(count -> count).sum()));
    assertThat(Schema.on(database.dataSource()).verify()).isEmpty();
  }

  @Test
  void schemasOfOneDatabaseThatAllNeedTheExtensionCreateItOnce() throws Exception {
    List<Integer> applied =
        atOnce(
            6,
            i ->
                Schema.on(
                        database.dataSource(), SchemaOptions.builder().schema("bank_" + i).build())
                    .upgrade()
                    .applied()
                    .size());
    assertThat(applied).doesNotContain(0).hasSize(6);
  }

  @Test
  void aSecondUpgradeIsOneStatementThatTakesNoLock() throws SQLException {
    Schema.on(database.dataSource()).upgrade();
    RecordingDataSource recording = new RecordingDataSource(database.dataSource());
    try (Connection other = database.dataSource().getConnection()) {
      other.setAutoCommit(false);
      Sql.run(other, "SELECT pg_advisory_xact_lock(" + lockKey() + ")");
      Sql.run(other, "LOCK TABLE task_memories, consolidated_memories IN ACCESS EXCLUSIVE MODE");
      assertThat(Schema.on(recording.dataSource()).withDeadline(Duration.ZERO).upgrade().applied())
          .isEmpty();
      other.rollback();
    }
    assertThat(recording.statements()).singleElement().asString().startsWith("SELECT");
  }

  @Test
  void givesUpAtTheDeadlineAndNamesTheHolder() throws SQLException {
    try (Connection holder = database.dataSource().getConnection()) {
      holder.setAutoCommit(false);
      Sql.run(holder, "SET application_name = 'the holder'");
      Sql.run(holder, "SELECT pg_advisory_xact_lock(" + lockKey() + ")");
      Schema schema = Schema.on(database.dataSource()).withDeadline(Duration.ofMillis(300));
      assertThatExceptionOfType(SchemaBusyException.class)
          .isThrownBy(schema::upgrade)
          .withMessageContaining("Gave up after PT0.3S: the upgrade lock is held by pid ")
          .withMessageContaining("application the holder")
          .withMessageContaining("pg_advisory_xact_lock");
      holder.rollback();
      assertThat(schema.upgrade().applied()).contains("consolidation_001");
    }
  }

  @Test
  void waitsForABusyHostTableInShortTriesThatLetOthersThrough() throws Exception {
    Sql.run(database.dataSource(), "CREATE TABLE task_memories (id text PRIMARY KEY)");
    Schema schema =
        Schema.on(database.dataSource())
            .withLockTimeout(Duration.ofMillis(50))
            .withDeadline(Duration.ofSeconds(30));
    ExecutorService pool = Executors.newSingleThreadExecutor();
    try (Connection busy = database.dataSource().getConnection()) {
      busy.setAutoCommit(false);
      Sql.run(busy, "INSERT INTO task_memories VALUES ('a')");
      Future<UpgradeResult> upgrade = pool.submit(schema::upgrade);
      Thread.sleep(400);
      assertThat(upgrade.isDone()).isFalse();
      Sql.run(database.dataSource(), "INSERT INTO task_memories VALUES ('b')");
      busy.commit();
      assertThat(upgrade.get(30, TimeUnit.SECONDS).applied()).contains("consolidation_001");
    } finally {
      pool.shutdownNow();
    }
  }

  @Test
  void givesUpOnABusyHostTableAtTheDeadlineNamingTheStatementAndWhoIsInTheWay()
      throws SQLException {
    Sql.run(
        database.dataSource(),
        "CREATE EXTENSION vector; CREATE TABLE task_memories (id text PRIMARY KEY)");
    String before = database.dumpSchema();
    Schema schema =
        Schema.on(database.dataSource())
            .withLockTimeout(Duration.ofMillis(20))
            .withDeadline(Duration.ofMillis(200));
    try (Connection busy = database.dataSource().getConnection()) {
      busy.setAutoCommit(false);
      Sql.run(busy, "SET application_name = 'the writer'");
      Sql.run(busy, "INSERT INTO task_memories VALUES ('a')");
      assertThatExceptionOfType(SchemaBusyException.class)
          .isThrownBy(schema::upgrade)
          .withMessageContaining("In the way:\n  - pid ")
          .withMessageContaining("application the writer, in its transaction since ")
          .withMessageContaining("idle in transaction since ")
          .withMessageContaining("INSERT INTO task_memories")
          .withMessageContaining("Revision consolidation_001: add to table task_memories")
          .withMessageContaining("SQLSTATE 55P03");
      busy.rollback();
    }
    assertThat(database.dumpSchema()).isEqualTo(before);
  }

  private static String lockKey() {
    String script =
        Schema.upgradeScript(SchemaOptions.defaults(), ScriptContext.creatingHostTable());
    Matcher key = Pattern.compile("pg_advisory_xact_lock\\((-?\\d+)\\)").matcher(script);
    assertThat(key.find()).isTrue();
    return key.group(1);
  }

  private static List<Integer> atOnce(int starters, IntFunction<Integer> work) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(starters);
    try {
      CyclicBarrier barrier = new CyclicBarrier(starters);
      List<Future<Integer>> futures = new ArrayList<>();
      for (int i = 0; i < starters; i++) {
        int number = i;
        futures.add(
            pool.submit(
                () -> {
                  barrier.await();
                  return work.apply(number);
                }));
      }
      List<Integer> results = new ArrayList<>();
      for (Future<Integer> future : futures) {
        results.add(future.get(60, TimeUnit.SECONDS));
      }
      return results;
    } finally {
      pool.shutdownNow();
    }
  }
}
