package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.UpgradeResult;
import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Whole processes that are killed (SIGKILL) while they upgrade. */
class KilledProcessTest {
  private static final String INVALID = "SELECT 1 FROM pg_index WHERE NOT indisvalid";

  private static final String UPGRADING =
      "SELECT application_name FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid"
          + " WHERE l.locktype = 'advisory' AND l.granted AND datname = current_database()";

  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();
  private final Map<String, Process> starters = new HashMap<>();

  @BeforeEach
  void fillHostTable() {
    Sql.run(
        database.dataSource(),
        """
        CREATE EXTENSION vector;
        CREATE TABLE task_memories (id text PRIMARY KEY, body text);
        INSERT INTO task_memories SELECT i::text, repeat('x', 200) FROM generate_series(1, 1000) i;
        """);
  }

  @AfterEach
  void endProcesses() {
    starters.values().forEach(Process::destroyForcibly);
  }

  private String names() {
    return String.join("', '", starters.keySet());
  }

  private void start(String name, int threads) throws Exception {
    starters.put(name, Starter.start(database.get(), name, threads));
  }

  private void kill(String name) throws Exception {
    Process process = Objects.requireNonNull(starters.remove(name), name);
    process.destroyForcibly();
    assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void ofSixtyFourStartersInFourProcessesTheOthersApplyOnceBeforeTheDeadline() throws Exception {
    List<String> lines = new ArrayList<>();
    try (Connection busy = database.dataSource().getConnection()) {
      busy.setAutoCommit(false);
      Sql.run(busy, "LOCK TABLE task_memories IN ACCESS SHARE MODE");
      for (int i = 1; i <= 4; i++) {
        start("starter " + i, 16);
      }
      for (int killed = 0; killed < 2; killed++) {
        kill(await(UPGRADING + " AND application_name IN ('" + names() + "')"));
      }
      busy.rollback();
    }
    assertThat(starters).hasSize(2);
    for (Process starter : starters.values()) {
      try (BufferedReader output = starter.inputReader(StandardCharsets.UTF_8)) {
        output.lines().forEach(lines::add);
      }
      assertThat(starter.waitFor()).isZero();
    }
    assertThat(lines).hasSize(32).allMatch(line -> line.matches("\\d+ \\d+"));
    assertThat(lines)
        .allMatch(
            line ->
                Long.parseLong(line.substring(0, line.indexOf(' '))) < Starter.DEADLINE.toMillis())
        .filteredOn(line -> !line.endsWith(" 0"))
        .as("those that applied something")
        .hasSize(1);
    Schema schema = Schema.on(database.dataSource()).waitingForIndexes();
    schema.upgrade();
    assertThat(schema.verify()).isEmpty();
    assertThat(schema.status().upToDate()).isTrue();
  }

  @Test
  void inTheMiddleOfAnIndexBuildLeaveNothingThatTheNextOneDoesNotMend() throws Exception {
    try (Connection reader = database.dataSource().getConnection()) {
      reader.setAutoCommit(false);
      reader.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      Sql.rows(reader, "SELECT 1");
      start("starter", 1);
      await(
          "SELECT phase FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting for%'"
              + " AND datname = current_database()");
      kill("starter");
      awaitNone(UPGRADING);
      assertThat(Sql.rows(database.dataSource(), INVALID)).hasSize(1);
      reader.rollback();
    }
    Schema schema = Schema.on(database.dataSource()).withLargeTablesFrom(1 << 16);
    UpgradeResult next = schema.upgrade();
    assertThat(next.notes()).anyMatch(note -> note.contains("invalid, left by a build"));
    assertThat(next.built()).hasSize(3);
    assertThat(Sql.rows(database.dataSource(), INVALID)).isEmpty();
    assertThat(schema.verify()).isEmpty();
  }

  private String await(String sql) throws InterruptedException {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    List<String> rows = Sql.rows(database.dataSource(), sql);
    while (rows.isEmpty()) {
      assertThat(System.nanoTime()).as(sql).isLessThan(end);
      Thread.sleep(20);
      rows = Sql.rows(database.dataSource(), sql);
    }
    return rows.get(0);
  }

  /** The server looks for its client every 5 seconds. */
  private void awaitNone(String sql) throws InterruptedException {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (!Sql.rows(database.dataSource(), sql).isEmpty()) {
      assertThat(System.nanoTime()).as(sql).isLessThan(end);
      Thread.sleep(50);
    }
  }
}
