package io.agentmemory.consolidation.it.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Looks for a server in another JVM, with settings of its own. */
@Timeout(120)
class PostgresWaysTest {
  private static final String URL = "consolidation.jdbcUrl";
  private static final String SERVER = "consolidation.server";
  private static final String BIN = "consolidation.postgres.bin";

  @Test
  void namesTheThreeWaysWhenThereIsNone() throws IOException {
    assertThat(failure(Map.of(SERVER, "binaries", BIN, "/nowhere")))
        .contains("JDBC URL", "Docker engine", "pgvector/pgvector:pg17", "it-tests/with-postgres")
        .contains("no initdb, pg_ctl and pg_config together in /nowhere");
  }

  @Test
  void looksNoFurtherThanAGivenUrl() throws IOException {
    assertThat(failure(Map.of(URL, "jdbc:postgresql://127.0.0.1:1/nothing")))
        .contains("127.0.0.1:1 refused", "Docker engine", "not tried");
  }

  @Test
  void refusesWhatIsNoUrl() throws IOException {
    assertThat(failure(Map.of(URL, "jdbc:other:x"))).contains("'jdbc:other:x' is no JDBC URL");
  }

  @Test
  void refusesAnUnknownWay() throws IOException {
    assertThat(failure(Map.of(SERVER, "podman"))).contains("'podman'", "[url, docker, binaries]");
  }

  @Test
  void usesAGivenUrl() throws IOException {
    PostgresServer server = PostgresServer.shared();
    Process jvm =
        start(
            Map.of(
                URL,
                server.jdbcUrl(),
                "consolidation.user",
                server.user(),
                "consolidation.password",
                server.password()));
    assertThat(jvm.inputReader().readLine()).contains("given by", "consolidation.jdbcUrl");
    jvm.destroyForcibly();
  }

  @Test
  void aKilledJvmLeavesNoCluster() throws Exception {
    assumeTrue(
        binariesAreHere(), "no PostgreSQL binaries with the vector extension on this machine");
    Process jvm = start(Map.of(SERVER, "binaries"));
    assertThat(jvm.inputReader().readLine()).contains("throw-away cluster");
    String url = jvm.inputReader().readLine();
    assertThat(answers(url)).isTrue();
    jvm.destroyForcibly().waitFor();
    Instant deadline = Instant.now().plus(Duration.ofSeconds(30));
    while (answers(url) && Instant.now().isBefore(deadline)) {
      Thread.sleep(50);
    }
    assertThat(answers(url)).isFalse();
  }

  private static boolean binariesAreHere() throws IOException {
    try {
      for (Installation installation : Installation.all()) {
        if (installation.hasExtension("vector")) {
          return true;
        }
      }
    } catch (Unavailable e) {
      return false;
    }
    return false;
  }

  /**
   * Whether a server is there: it refuses the connection, as the password is missing, with a word
   * of its own.
   */
  private static boolean answers(String url) {
    try {
      DriverManager.getConnection(url, "postgres", "wrong").close();
      return true;
    } catch (SQLException e) {
      return "28P01".equals(e.getSQLState());
    }
  }

  private static String failure(Map<String, String> settings) throws IOException {
    Process jvm = start(settings);
    String output = Commands.text(jvm.getInputStream());
    assertThat(Commands.waitFor(jvm)).as(output).isNotZero();
    return output;
  }

  private static Process start(Map<String, String> settings) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path")));
    settings.forEach((name, value) -> command.add("-D" + name + "=" + value));
    command.add(FindServer.class.getName());
    ProcessBuilder jvm = new ProcessBuilder(command).redirectErrorStream(true);
    jvm.environment().keySet().removeIf(name -> name.startsWith("CONSOLIDATION_"));
    return jvm.start();
  }

  /** Prints where it found a server, and its URL, and then waits to be killed. */
  static final class FindServer {
    private FindServer() {}

    public static void main(String[] arguments) throws InterruptedException {
      PostgresServer server = PostgresServer.find(progress -> {});
      System.out.println(server.describe());
      System.out.println(server.jdbcUrl());
      Thread.sleep(Duration.ofMinutes(1).toMillis());
    }
  }
}
