package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.it.postgres.PostgresServer;
import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.sql.DataSource;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An upgrade and a downgrade that are cut short before one of their statements; the next one ends
 * where an undisturbed one does. The system property {@code consolidation.faults.every} says which
 * statements: 1 for each in turn, 6 unless set, for every sixth.
 */
class FaultTest {
  private static final Logger LOG = LoggerFactory.getLogger(FaultTest.class);
  private static final int EVERY = Integer.getInteger("consolidation.faults.every", 6);

  private static final String INVALID = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";

  private static final String HOST =
      """
      CREATE EXTENSION vector;
      CREATE TABLE task_memories (id text PRIMARY KEY, body text);
      INSERT INTO task_memories SELECT i::text, repeat('x', 200) FROM generate_series(1, 1000) i;
      """;

  private enum Fault {
    CLIENT(1) {
      @Override
      void strike(ScratchDatabase database, Connection connection, int pid) throws SQLException {
        connection.abort(Runnable::run);
      }
    },
    BACKEND(3) {
      @Override
      void strike(ScratchDatabase database, Connection connection, int pid) {
        Sql.run(database.dataSource(), "SELECT pg_terminate_backend(" + pid + ", 5000)");
      }
    },
    SERVER(5) {
      @Override
      void strike(ScratchDatabase database, Connection connection, int pid) {
        database.server().crash();
      }
    };

    /** Not the same for all, so that together they meet more statements. */
    private final int first;

    Fault(int first) {
      this.first = Math.min(EVERY, first);
    }

    abstract void strike(ScratchDatabase database, Connection connection, int pid)
        throws SQLException;
  }

  /** An upgrade or a downgrade; tells its notes. */
  private interface Work {
    List<String> on(Schema schema);
  }

  /** One fault, met by a database of its own; counts what it struck. */
  private static final class Trial {
    private final Fault fault;
    private final ScratchDatabase database;
    private final Map<String, Integer> struck = new TreeMap<>();

    Trial(Fault fault, ScratchDatabase database) {
      this.fault = fault;
      this.database = database;
    }

    void run() {
      Sql.run(database.dataSource(), HOST);
      String down = database.dumpSchema();
      upgrade(schema(database.dataSource()));
      String up = database.dumpSchema();
      int upward = strikeEach("up", FaultTest::upgrade, FaultTest::downgrade, up);
      assertThat(upward).as("statements of an upgrade").isGreaterThan(25);
      int downward = strikeEach("down", FaultTest::downgrade, FaultTest::upgrade, down);
      assertThat(downward).as("statements of a downgrade").isGreaterThan(20);
      struck.forEach((what, count) -> LOG.info("{}, {}: {} struck and mended", fault, what, count));
    }

    /** Strikes before statement 1, 2, … until there is none left; tells how many there were. */
    private int strikeEach(String way, Work work, Work reset, String expected) {
      for (int number = fault.first; ; number += EVERY) {
        reset.on(schema(database.dataSource()));
        StrikingDataSource striking =
            new StrikingDataSource(
                database.dataSource(),
                number,
                (connection, pid) -> fault.strike(database, connection, pid));
        String failure = "no error";
        try {
          work.on(schema(striking.dataSource()));
        } catch (SchemaException e) {
          failure = e.toString();
        }
        if (!striking.struck()) {
          return striking.seen();
        }
        List<String> notes = work.on(schema(database.dataSource()));
        String statement = striking.statement();
        String what = "%s, %s before %s (%s)".formatted(way, fault, statement, failure);
        assertThat(database.dumpSchema()).as(what).isEqualTo(expected);
        assertThat(Sql.rows(database.dataSource(), INVALID)).as(what).containsExactly("0");
        if (statement.contains("SET pending = pending")) {
          assertThat(notes).as(what).anyMatch(note -> note.contains("by an upgrade that ended"));
        }
        struck.merge(way + ", " + group(statement), 1, Integer::sum);
      }
    }

    private static String group(String statement) {
      String sql = statement.strip();
      if (sql.startsWith("CREATE INDEX CONCURRENTLY")) {
        return "index built online";
      }
      if (sql.contains("advisory")) {
        return "lock taken or released";
      }
      if (sql.contains("consolidation_history\"") && !sql.startsWith("SELECT")) {
        return "history written";
      }
      if (sql.startsWith("SELECT") || sql.startsWith("SET") || sql.contains("SAVEPOINT")) {
        return "read or setting";
      }
      return sql.equals("COMMIT") ? sql : "table or index changed, or locked";
    }
  }

  @Test
  void ofTheClientLeavesNothingThatTheNextOneDoesNotMend() {
    everywhere(Fault.CLIENT, PostgresServer.shared());
  }

  @Test
  void ofTheBackendLeavesNothingThatTheNextOneDoesNotMend() {
    everywhere(Fault.BACKEND, PostgresServer.shared());
  }

  @Test
  void ofTheServerLeavesNothingThatTheNextOneDoesNotMend() {
    Assumptions.assumeTrue(
        PostgresServer.shared().canCrash(), "only a throw-away cluster can be made to crash");
    try (PostgresServer own = PostgresServer.find(LOG::info)) {
      everywhere(Fault.SERVER, own);
    }
  }

  private static void everywhere(Fault fault, PostgresServer server) {
    try (ScratchDatabase database = server.freshDatabase("faulttest")) {
      new Trial(fault, database).run();
    }
  }

  private static List<String> upgrade(Schema schema) {
    return schema.upgrade().notes();
  }

  private static List<String> downgrade(Schema schema) {
    return schema.downgradeToNothing().notes();
  }

  private static Schema schema(DataSource dataSource) {
    return Schema.on(dataSource)
        .withLargeTablesFrom(1 << 16)
        .withDeadline(Duration.ofSeconds(30))
        .allowing(Hazard.DELETES_DATA);
  }
}
