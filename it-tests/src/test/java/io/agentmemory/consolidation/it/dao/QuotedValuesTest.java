package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.direction;
import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.agentmemory.consolidation.dao.DatabaseException;
import io.agentmemory.consolidation.dao.JobHandler;
import io.agentmemory.consolidation.dao.JobWorker;
import io.agentmemory.consolidation.dao.JobWorkerOptions;
import io.agentmemory.consolidation.dao.LoadOptions;
import io.agentmemory.consolidation.dao.MemoryUpdate;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.OnConflict;
import io.agentmemory.consolidation.dao.Outcome;
import io.agentmemory.consolidation.dao.Sources;
import io.agentmemory.consolidation.dao.TriggerType;
import io.agentmemory.consolidation.it.postgres.LogCapture;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The driver quotes the values of a statement that fails, and the server the row that a constraint
 * refuses. None of it gets into exceptions, logs or the error of a job.
 */
class QuotedValuesTest {
  private static final String SECRET = "what nobody else may read";

  @RegisterExtension final TestDatabase database = TestDatabase.with(TestDatabase.SMALL);

  @BeforeEach
  void refuseRows() throws SQLException {
    database.execute(
        """
        alter table consolidated_memories add constraint no_bad_id check (id not like 'bad%');
        alter table consolidated_memories add constraint no_method
          check (consolidation_method is null);
        alter table task_memories add constraint never_consolidated check (not is_consolidated);
        create sequence once;
        create function deadlock() returns trigger language plpgsql as $$
          begin
            if nextval('once') = 1 then
              raise exception 'deadlock detected' using errcode = '40P01';
            end if;
            return new;
          end $$;
        create trigger deadlock before insert on consolidated_memories
          for each row when (new.id = 'locked') execute function deadlock()""");
  }

  private static NewMemory secret(String id) {
    return memory("p", SECRET).id(id).embedding(direction(3, 0)).build();
  }

  /** Fails as a call of a user's does; what it says, also by its causes, is free of the secret. */
  private static DatabaseException fails(String state, Runnable call) {
    DatabaseException failure = assertThrows(DatabaseException.class, call::run);
    StringWriter all = new StringWriter();
    failure.printStackTrace(new PrintWriter(all));
    assertThat(all.toString()).doesNotContain(SECRET).contains("org.postgresql.core.v3");
    assertThat(failure.sqlState()).as("%s", all).isEqualTo(state);
    assertThat(failure.outcome()).isEqualTo(Outcome.DID_NOT_HAPPEN);
    assertThat(failure.getCause())
        .isInstanceOfSatisfying(
            SQLException.class, cause -> assertThat(cause.getSQLState()).isEqualTo(state));
    return failure;
  }

  @Test
  void areNotToldOfABatchThatFailedByWhatDoesNotHappenAgain() {
    DatabaseException failure =
        fails("40P01", () -> database.memories().insertAll(List.of(secret("a"), secret("locked"))));
    assertThat(failure).hasMessage("memories.insertAll failed (SQLSTATE 40P01): deadlock detected");
    assertThat(failure.isRetryable()).isTrue();
  }

  @Test
  void areNotToldOfARowThatAConstraintRefuses() {
    String refused =
        "new row for relation \"consolidated_memories\" violates check constraint \"no_bad_id\"";
    assertThat(fails("23514", () -> database.memories().insert(secret("bad"))))
        .hasMessage("memories.insert failed (SQLSTATE 23514): memory id \"bad\": " + refused);
    List<NewMemory> memories = List.of(secret("a"), secret("bad"));
    assertThat(fails("23514", () -> database.memories().insertAll(memories)))
        .hasMessage(
            "memories.insertAll failed (SQLSTATE 23514): memory number 2 id \"bad\": " + refused);
    for (OnConflict onConflict : OnConflict.values()) {
      LoadOptions options = LoadOptions.defaults().on(onConflict);
      assertThat(fails("23514", () -> database.memories().load(memories.iterator(), options)))
          .hasMessageStartingWith("memories.load failed (SQLSTATE 23514): ")
          .hasMessageEndingWith(refused);
    }
  }

  @Test
  void areNotToldOfAChangeThatAConstraintRefuses() throws SQLException {
    Instant read = database.memories().insert(secret("a")).updatedAt();
    MemoryUpdate update = MemoryUpdate.builder().consolidationMethod("refused").build();
    fails("23514", () -> database.memories().update("p", "a", update, read));
    database.taskMemory("task", "p");
    database.execute("update task_memories set execution_summary = '" + SECRET + "'");
    fails(
        "23514",
        () -> database.consolidation().consolidate(secret("b"), Sources.ofTaskMemories("task")));
  }

  @Test
  void areNeitherLoggedOfAJobNorWrittenIntoIt() throws Exception {
    JobHandler handler =
        run -> database.memories().insertAll(List.of(secret(run.job().id()), secret("a")));
    try (LogCapture log = LogCapture.start();
        JobWorker worker =
            JobWorker.start(
                database.consolidation(),
                handler,
                JobWorkerOptions.defaults().withPollInterval(Duration.ofMillis(10)),
                null)) {
      for (String id : List.of("bad", "locked")) {
        database
            .consolidation()
            .jobs()
            .enqueue(NewJob.builder("p", TriggerType.MANUAL).id(id).maxRetries(0).build());
        log.await("job=" + id + " project=p retries=0 sqlState=");
      }
      assertThat(worker.stop(Duration.ofSeconds(30))).isTrue();
      assertThat(log.text()).contains("A job failed").doesNotContain(SECRET);
    }
    assertThat(database.rows("select error_message from consolidation_jobs order by id"))
        .hasSize(2)
        .allMatch(error -> error.contains("memories.insertAll failed"))
        .noneMatch(error -> error.contains(SECRET));
  }
}
