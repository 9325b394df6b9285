package io.agentmemory.consolidation.it.build;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** The build that runs the tests: where it is, and its Maven to run another with. */
final class BuildEnvironment {
  private BuildEnvironment() {}

  /** Returns what the build says of itself; a test that was not started by the build is skipped. */
  static String property(String name) {
    String value = System.getProperty("build." + name);
    Assumptions.assumeTrue(value != null, "started by the Maven build");
    return value;
  }

  static Path path(String property) {
    return Path.of(property(property)).toAbsolutePath().normalize();
  }

  /** Copies a folder with all that is in it, in place of what was there. */
  static void copy(Path from, Path to) throws IOException {
    delete(to);
    try (Stream<Path> files = Files.walk(from)) {
      files.forEach(
          file -> {
            try {
              Files.copy(file, to.resolve(from.relativize(file).toString()));
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
    }
  }

  private static void delete(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    List<Path> files;
    try (Stream<Path> walk = Files.walk(folder)) {
      files = new ArrayList<>(walk.toList());
    }
    for (int i = files.size() - 1; i >= 0; i--) {
      Files.delete(files.get(i));
    }
  }

  /** Runs the Maven and the JDK of this build in a folder. */
  static Result maven(Path folder, String... arguments) throws IOException, InterruptedException {
    boolean windows = System.getProperty("os.name", "").startsWith("Windows");
    List<String> command = new ArrayList<>();
    command.add(path("maven.home").resolve("bin").resolve(windows ? "mvn.cmd" : "mvn").toString());
    command.add("--batch-mode");
    command.addAll(List.of(arguments));
    Path log = Files.createTempFile("maven", ".log");
    try {
      ProcessBuilder builder =
          new ProcessBuilder(command)
              .directory(folder.toFile())
              .redirectErrorStream(true)
              .redirectOutput(log.toFile());
      Map<String, String> environment = builder.environment();
      environment.put("JAVA_HOME", System.getProperty("java.home"));
      environment.merge(
          "MAVEN_OPTS",
          "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
          (given, ours) -> given + " " + ours);
      environment.remove("MAVEN_ARGS");
      environment.remove("MAVEN_PROJECTBASEDIR");
      Process process = builder.start();
      if (!process.waitFor(5, TimeUnit.MINUTES)) {
        process.destroyForcibly();
        throw new IOException("Maven did not end:\n" + Files.readString(log, UTF_8));
      }
      return new Result(process.exitValue(), Files.readString(log, UTF_8));
    } finally {
      Files.delete(log);
    }
  }

  record Result(int status, String log) {}
}
