package io.agentmemory.consolidation.it.postgres;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.postgresql.ds.PGSimpleDataSource;

/** A small JVM of its own that works on a database. */
public final class ForkedJvm {
  private static final String PASSWORD = "FORKED_JVM_PASSWORD";

  private ForkedJvm() {}

  /**
   * What starts one. Its errors go where the test's go.
   *
   * @param logLevel what is logged at least
   * @param arguments what {@code main} gets after those that {@link #dataSource} takes
   */
  public static ProcessBuilder of(
      Class<?> main, PostgresServer server, String jdbcUrl, String logLevel, String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=" + logLevel,
                "-cp",
                System.getProperty("java.class.path"),
                main.getName(),
                jdbcUrl,
                server.user()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put(PASSWORD, server.password());
    return builder.redirectError(ProcessBuilder.Redirect.INHERIT);
  }

  /** Within it: connections to the database, and the arguments from the third on are its own. */
  public static PGSimpleDataSource dataSource(String[] arguments) {
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setUrl(arguments[0]);
    dataSource.setUser(arguments[1]);
    dataSource.setPassword(System.getenv(PASSWORD));
    return dataSource;
  }
}
