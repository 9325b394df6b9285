package io.agentmemory.consolidation.it.postgres;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** Programs of this machine. */
final class Commands {
  private Commands() {}

  /** A builder without the variables that would lead PostgreSQL's programs elsewhere. */
  static ProcessBuilder builder(List<String> command) {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().keySet().removeIf(name -> name.startsWith("PG"));
    return builder;
  }

  /**
   * Runs a program and returns what it prints.
   *
   * @throws IOException if it cannot be started or fails
   */
  static String run(List<String> command, Map<String, String> environment) throws IOException {
    ProcessBuilder builder = builder(command);
    builder.environment().putAll(environment);
    Process process = builder.start();
    process.getOutputStream().close();
    CompletableFuture<String> errors =
        CompletableFuture.supplyAsync(() -> text(process.getErrorStream()));
    String output = text(process.getInputStream());
    int status = waitFor(process);
    if (status != 0) {
      throw new IOException(failure(command.get(0), status, errors.join()));
    }
    return output;
  }

  static String failure(String program, int status, String errors) {
    return program + " failed with status " + status + ": " + errors.strip();
  }

  static String text(InputStream stream) {
    try (stream) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static int waitFor(Process process) {
    try {
      return process.waitFor();
    } catch (InterruptedException e) {
      process.destroy();
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for " + process.info(), e);
    }
  }
}
