package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.it.postgres.TestDatabase;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * An upgrade and a downgrade that are cut short before one of their statements; the next one ends
 * where an undisturbed one does. The system property {@code consolidation.faults.every} says which
 * statements: 1 for each in turn, 6 unless set, for every sixth.
 */
class FaultTest {
  private static final int EVERY = Integer.getInteger("consolidation.faults.every", 6);

  private static final String HOST =
      """
      CREATE EXTENSION vector;
      CREATE TABLE task_memories (id text PRIMARY KEY, body text);
      INSERT INTO task_memories SELECT i::text, repeat('x', 200) FROM generate_series(1, 1000) i;
      """;

  @RegisterExtension private final TestDatabase database = new TestDatabase();

  private enum Fault {
    CLIENT {
      @Override
      void strike(DataSource other, Connection connection, int pid) throws SQLException {
        connection.abort(Runnable::run);
      }
    },
    BACKEND {
      @Override
      void strike(DataSource other, Connection connection, int pid) {
        Sql.rows(other, "SELECT pg_terminate_backend(" + pid + ", 5000)");
      }
    };

    /** Not the same for both, so that together they meet more statements. */
    int first() {
      return Math.min(EVERY, this == CLIENT ? 1 : 4);
    }

    abstract void strike(DataSource other, Connection connection, int pid) throws SQLException;
  }

  @Test
  void ofTheClientLeavesNothingThatTheNextOneDoesNotMend() {
    everywhere(Fault.CLIENT);
  }

  @Test
  void ofTheBackendLeavesNothingThatTheNextOneDoesNotMend() {
    everywhere(Fault.BACKEND);
  }

  private void everywhere(Fault fault) {
    Sql.run(database.dataSource(), HOST);
    String down = database.dumpSchema();
    schema(database.dataSource()).upgrade();
    String up = database.dumpSchema();
    int upward = strikeEach(fault, Schema::upgrade, this::goDown, up, "the dump after an upgrade");
    assertThat(upward).as("statements of an upgrade").isGreaterThan(25);
    int downward =
        strikeEach(fault, this::downgrade, this::goUp, down, "the dump after a downgrade");
    assertThat(downward).as("statements of a downgrade").isGreaterThan(20);
  }

  /** Strikes before statement 1, 2, … until there is none left; tells how many there were. */
  private int strikeEach(
      Fault fault, Consumer<Schema> work, Runnable reset, String expected, String what) {
    for (int number = fault.first(); ; number += EVERY) {
      reset.run();
      StrikingDataSource striking =
          new StrikingDataSource(
              database.dataSource(),
              number,
              (connection, pid) -> fault.strike(database.dataSource(), connection, pid));
      String failure = "no error";
      try {
        work.accept(schema(striking.dataSource()));
      } catch (SchemaException e) {
        failure = e.toString();
      }
      if (!striking.struck()) {
        return striking.seen();
      }
      work.accept(schema(database.dataSource()));
      assertThat(database.dumpSchema())
          .as("%s, %s before %s (%s)", what, fault, striking.statement(), failure)
          .isEqualTo(expected);
      assertThat(invalid()).as("invalid indexes after %s", striking.statement()).isEqualTo("0");
    }
  }

  private String invalid() {
    return Sql.rows(database.dataSource(), "SELECT count(*) FROM pg_index WHERE NOT indisvalid")
        .get(0);
  }

  private void goDown() {
    downgrade(schema(database.dataSource()));
  }

  private void goUp() {
    schema(database.dataSource()).upgrade();
  }

  private void downgrade(Schema schema) {
    schema.downgradeToNothing();
  }

  private static Schema schema(DataSource dataSource) {
    return Schema.on(dataSource)
        .withLargeTablesFrom(1 << 16)
        .withDeadline(Duration.ofSeconds(30))
        .allowing(Hazard.DELETES_DATA);
  }
}
