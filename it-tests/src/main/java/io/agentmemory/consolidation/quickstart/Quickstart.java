package io.agentmemory.consolidation.quickstart;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.agentmemory.consolidation.it.postgres.PostgresServer;
import io.agentmemory.consolidation.schema.ConsolidationException;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Runs the main job on real input and prints what happens.
 *
 * <p>System properties: {@code memories} names a file of task memories, one JSON object a line, to
 * be taken instead of those that are included; {@code question} is asked in each of its projects;
 * {@code similarity} is how alike memories have to be to become one. Those of {@link
 * PostgresServer} say where the server is.
 */
public final class Quickstart {
  /** Where a lesson in other words parts from another lesson, with this model and short notes. */
  private static final double SIMILARITY = 0.45;

  private static final Screen SCREEN = Screen.terminal();

  private Quickstart() {}

  /**
   * Runs the quickstart. What the user can put right ends it with a message and exit status 1.
   *
   * @param arguments none
   */
  public static void main(String[] arguments) throws IOException {
    quiet();
    try {
      run();
    } catch (BadMemoriesException
        | IllegalArgumentException
        | IllegalStateException
        | ConsolidationException
        | SQLException e) {
      SCREEN.complain(String.valueOf(e.getMessage()));
      System.exit(1);
    }
  }

  /** What matters of the libraries' messages is printed anyway. */
  private static void quiet() {
    String simple = "org.slf4j.simpleLogger.";
    System.setProperty(simple + "defaultLogLevel", "error");
    for (String noisy : List.of("ai.djl", "com.github.dockerjava", "org.testcontainers", "tc")) {
      System.setProperty(simple + "log." + noisy, "off");
    }
  }

  private static void run() throws IOException, SQLException {
    double similarity = similarity();
    String file = property("memories");
    List<AgentMemory> memories =
        file == null ? MemoryFile.included() : MemoryFile.read(Path.of(file));
    List<Question> questions = questions(file, memories);
    Timings timings = new Timings();
    try (PostgresServer server =
        timings.time("find or start a server", () -> PostgresServer.find(SCREEN::say))) {
      HikariConfig config = new HikariConfig();
      config.setJdbcUrl(server.jdbcUrl());
      config.setUsername(server.user());
      config.setPassword(server.password());
      try (HikariDataSource dataSource = new HikariDataSource(config)) {
        new MainJob(dataSource, similarity, SCREEN, timings).run(memories, questions);
      }
      SCREEN.say("");
      SCREEN.say(
          property("consolidation.jdbcUrl") == null
                  && System.getenv("CONSOLIDATION_JDBC_URL") == null
              ? "The server was started for this run and is gone now, with its data. To keep them, give"
                  + " a database of\nyours: -Dconsolidation.jdbcUrl=jdbc:postgresql://HOST/DATABASE"
                  + " (-Dconsolidation.user, -Dconsolidation.password)"
              : "Everything is in the schema %s; run again, and it goes on from there."
                  .formatted(MainJob.OPTIONS.schema()));
    }
  }

  private static double similarity() {
    String value = property("similarity");
    if (value == null) {
      return SIMILARITY;
    }
    try {
      double similarity = Double.parseDouble(value);
      if (similarity > 0 && similarity <= 1) {
        return similarity;
      }
    } catch (NumberFormatException e) {
      // Refused below, like any other number that is out of range.
    }
    throw new IllegalArgumentException(
        "similarity is \"%s\": give a number over 0 and up to 1".formatted(value));
  }

  private static List<Question> questions(@Nullable String file, List<AgentMemory> memories) {
    String text = property("question");
    return text == null && file == null ? Question.included() : Question.of(memories, text);
  }

  private static @Nullable String property(String name) {
    String value = System.getProperty(name);
    return value == null || value.isBlank() ? null : value;
  }
}
