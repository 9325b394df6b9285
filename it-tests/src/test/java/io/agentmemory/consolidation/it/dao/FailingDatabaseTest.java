package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.direction;
import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.DatabaseException;
import io.agentmemory.consolidation.dao.LoadOptions;
import io.agentmemory.consolidation.dao.MemoryUpdate;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.Outcome;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.dao.PartialLoadException;
import io.agentmemory.consolidation.dao.Sources;
import io.agentmemory.consolidation.dao.TriggerType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Iterator;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * What a caller sees of a database that fails, beside what {@link SessionTest} shows: whether the
 * work was done, and whether the same call may be made again.
 */
@Timeout(180)
class FailingDatabaseTest {
  private static final String P = "project";

  @RegisterExtension
  final TestDatabase database = TestDatabase.with(TestDatabase.SMALL).withoutPool();

  private static void fails(DatabaseException failure, String state, Outcome out, boolean again) {
    assertThat(failure.sqlState()).as("%s", failure).isEqualTo(state);
    assertThat(failure.outcome()).as("%s", failure).isEqualTo(out);
    assertThat(failure.isRetryable()).as("%s", failure).isEqualTo(again);
  }

  private static NewMemory.Builder learned(String id) {
    return memory(P, "learned " + id).id(id);
  }

  private Consolidation cutAt(int number, Runnable[] watched) {
    CutConnections cut = new CutConnections(database.dataSource(), number);
    Consolidation consolidation = Consolidation.on(cut.dataSource(), database.options());
    consolidation.jobs().list(P, PageRequest.first(1)); // what is asked once, is asked here
    Runnable call = watched[0];
    watched[0] = () -> cut.watch(call);
    return consolidation;
  }

  @Test
  void whereverATransactionIsCutTheCallerIsToldTheTruth() throws SQLException {
    int unknown = 0;
    boolean done = false;
    for (int number = 1; !done; number++) {
      String task = "task" + number;
      String id = "memory" + number;
      database.taskMemory(task, P);
      Consolidation[] way = new Consolidation[1];
      Runnable[] call = {
        () -> way[0].consolidate(learned(id).build(), Sources.ofTaskMemories(task))
      };
      way[0] = cutAt(number, call);
      try {
        call[0].run();
        done = true;
      } catch (DatabaseException failure) {
        boolean there = database.consolidation().memories().find(P, id).isPresent();
        if (failure.outcome() == Outcome.UNKNOWN) {
          unknown++;
          assertThat(failure.isRetryable()).isFalse();
        } else {
          assertThat(there).as("cut %d", number).isFalse();
          assertThat(failure.isRetryable()).isTrue();
          database.consolidation().consolidate(learned(id).build(), Sources.ofTaskMemories(task));
        }
      }
    }
    assertThat(unknown).as("only about the commit, before and after").isEqualTo(2);
  }

  @Test
  void aReadThatIsCutMayBeMadeAgain() {
    Consolidation[] way = new Consolidation[1];
    Runnable[] call = {() -> way[0].memories().find(P, "a")};
    way[0] = cutAt(2, call);
    fails(
        assertThrows(DatabaseException.class, () -> call[0].run()),
        "08006",
        Outcome.DID_NOT_HAPPEN,
        true);
  }

  @Test
  void whereverAnExportIsCutItMayBeMadeAgain() {
    database.consolidation().memories().insert(learned("a").embedding(direction(3, 0)).build());
    boolean done = false;
    int cuts = 0;
    for (int number = 1; !done; number++) {
      Consolidation[] way = new Consolidation[1];
      Runnable[] call = {() -> way[0].memories().export(P, Stream::count)};
      way[0] = cutAt(number, call);
      try {
        call[0].run();
        done = true;
      } catch (DatabaseException failure) {
        assertThat(failure.outcome()).as("cut %d", number).isEqualTo(Outcome.DID_NOT_HAPPEN);
        assertThat(failure.isRetryable()).as("cut %d", number).isTrue();
        cuts = number;
      }
    }
    assertThat(cuts).as("before and after the beginning, the query and the commit").isEqualTo(6);
  }

  @Test
  void theFirstCallOfAllFailsAsAnyOther() {
    CutConnections cut = new CutConnections(database.dataSource(), 1);
    Consolidation fresh = Consolidation.on(cut.dataSource(), database.options());
    NewJob job = NewJob.builder(P, TriggerType.MANUAL).id("first").build();
    fails(
        assertThrows(DatabaseException.class, () -> cut.watch(() -> fresh.jobs().enqueue(job))),
        "08003",
        Outcome.DID_NOT_HAPPEN,
        true);
    assertThat(fresh.jobs().enqueue(job).id()).isEqualTo("first");
  }

  @Test
  void aServerThatRestartsInTheMiddleOfALoadTakesBackWhatWasNotCommitted() throws SQLException {
    assumeTrue(database.scratch().server().canCrash(), "this server cannot be made to crash");
    try (HikariDataSource pool = new HikariDataSource(config())) {
      Consolidation consolidation = Consolidation.on(pool, database.options());
      DatabaseException whole =
          assertThrows(
              DatabaseException.class,
              () -> consolidation.memories().load(crashingInTheMiddle(), LoadOptions.defaults()));
      assertThat(whole.outcome()).isEqualTo(Outcome.DID_NOT_HAPPEN);
      assertThat(whole.isRetryable()).isTrue();
      assertThat(database.row("select count(*) from consolidated_memories")).isEqualTo("0");

      PartialLoadException part =
          assertThrows(
              PartialLoadException.class,
              () ->
                  consolidation
                      .memories()
                      .load(crashingInTheMiddle(), LoadOptions.defaults().commitEvery(1_000)));
      assertThat(part.getCause()).isInstanceOf(DatabaseException.class);
      assertThat(part.committed().inserted()).isEqualTo(3_000);
      assertThat(database.row("select count(*) from consolidated_memories")).isEqualTo("3000");

      consolidation.jobs().enqueue(NewJob.builder(P, TriggerType.MANUAL).build());
    }
  }

  private HikariConfig config() {
    HikariConfig config = new HikariConfig();
    config.setDataSource(database.dataSource());
    config.setMaximumPoolSize(1); // one more could be given out before the pool knows it dead
    return config;
  }

  /** Within the fourth thousand: between two transactions the pool might replace the connection. */
  private Iterator<NewMemory> crashingInTheMiddle() {
    return IntStream.range(0, 4_000)
        .mapToObj(
            i -> {
              if (i == 3_500) {
                database.scratch().server().crash();
              }
              return learned("m" + i).embedding(direction(3, i)).build();
            })
        .iterator();
  }

  @Test
  void timeoutsOfTheServerDidNotHappenAndMayPass() throws SQLException {
    try (Connection blocker = database.dataSource().getConnection()) {
      blocker.setAutoCommit(false);
      blocker.createStatement().execute("lock table consolidation_jobs in access exclusive mode");
      fails(
          assertThrows(DatabaseException.class, () -> enqueue("-c statement_timeout=300")),
          "57014",
          Outcome.DID_NOT_HAPPEN,
          true);
      fails(
          assertThrows(DatabaseException.class, () -> enqueue("-c lock_timeout=300")),
          "55P03",
          Outcome.DID_NOT_HAPPEN,
          true);
      blocker.rollback();
    }
    enqueue("-c lock_timeout=300");
    assertThat(database.row("select count(*) from consolidation_jobs")).isEqualTo("1");
  }

  private void enqueue(String serverOptions) {
    Consolidation.on(database.dataSource(serverOptions), database.options())
        .jobs()
        .enqueue(NewJob.builder(P, TriggerType.MANUAL).build());
  }

  @Test
  void aSerializationFailureDidNotHappenAndTheNextTrySucceeds() throws Exception {
    Instant read = database.consolidation().memories().insert(learned("a").build()).updatedAt();
    MemoryUpdate update = MemoryUpdate.builder().confidence(0.5).build();
    Consolidation strict =
        Consolidation.on(
            database.dataSource("-c default_transaction_isolation=serializable"),
            database.options());
    strict.memories().find(P, "a");
    try (Connection other = database.dataSource().getConnection()) {
      other.setAutoCommit(false);
      other.createStatement().execute("update consolidated_memories set reuse_count = 1");
      CompletableFuture<Object> call =
          CompletableFuture.supplyAsync(() -> strict.memories().update(P, "a", update, read));
      while (!call.isDone()
          && database
              .rows(
                  """
              select 1 from pg_stat_activity
              where wait_event_type = 'Lock' and datname = current_database()""")
              .isEmpty()) {
        Thread.sleep(20);
      }
      other.commit();
      fails(
          (DatabaseException) assertThrows(Exception.class, call::get).getCause(),
          "40001",
          Outcome.DID_NOT_HAPPEN,
          true);
    }
    assertThat(strict.memories().update(P, "a", update, read)).isPresent();
  }

  @Test
  void aFullDiskDidNotHappenAndIsNoReasonToTryAgain() throws Exception {
    assumeTrue(
        database.scratch().server().canCrash(),
        "only a server of the tests' own sees their folders");
    Path folder = Path.of(System.getProperty("java.io.tmpdir"), "full" + UUID.randomUUID());
    Files.createDirectory(folder);
    boolean mounted = mount(folder);
    try {
      assumeTrue(mounted, "a small file system for a full disk cannot be mounted here");
      database.execute("create tablespace small location '" + folder + "'");
      try {
        database.execute("alter table consolidated_memories set tablespace small");
        DatabaseException failure =
            assertThrows(
                DatabaseException.class,
                () ->
                    database
                        .consolidation()
                        .memories()
                        .load(
                            IntStream.range(0, 100_000)
                                .mapToObj(i -> learned("m" + i).build())
                                .iterator(),
                            LoadOptions.defaults()));
        fails(failure, "53100", Outcome.DID_NOT_HAPPEN, false);
        assertThat(database.row("select count(*) from consolidated_memories")).isEqualTo("0");
      } finally {
        database.execute("drop table consolidated_memories cascade");
        database.execute("checkpoint");
        database.execute("drop tablespace small");
      }
    } finally {
      if (mounted) {
        run("umount", folder.toString());
      }
      Files.delete(folder);
    }
  }

  /** Whether 4 MB of memory are now there as the server's own. */
  private static boolean mount(Path folder) throws IOException, InterruptedException {
    return run("id", "postgres")
        && run(
            "mount",
            "-t",
            "tmpfs",
            "-o",
            "size=4m,mode=700,uid=" + output("id", "-u", "postgres"),
            "tmpfs",
            folder.toString());
  }

  private static boolean run(String... command) throws IOException, InterruptedException {
    try {
      return new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException absent) {
      return false;
    }
  }

  private static String output(String... command) throws IOException {
    try (java.io.BufferedReader out = new ProcessBuilder(command).start().inputReader()) {
      return String.valueOf(out.readLine());
    }
  }
}
