package io.agentmemory.consolidation.it.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * What is logged until it is closed: the tests' binding writes to the standard error stream that is
 * set then, the fields before the message.
 */
public final class LogCapture implements AutoCloseable {
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(60);

  private final ByteArrayOutputStream log = new ByteArrayOutputStream();
  private final PrintStream before = System.err;

  private LogCapture() {}

  /** Starts. */
  public static LogCapture start() {
    LogCapture capture = new LogCapture();
    System.setErr(new PrintStream(capture.log, true, StandardCharsets.UTF_8));
    return capture;
  }

  /** Something that logs. */
  public interface Work {
    void run() throws Exception;
  }

  /** What is logged while something runs. */
  public static String of(Work work) throws Exception {
    try (LogCapture capture = start()) {
      work.run();
      return capture.text();
    }
  }

  /** All so far. */
  public String text() {
    return log.toString(StandardCharsets.UTF_8);
  }

  /** Waits until something is logged. */
  public void await(String part) throws InterruptedException {
    long end = System.nanoTime() + LONGEST_WAIT.toNanos();
    while (!text().contains(part)) {
      assertThat(System.nanoTime()).as("waited for \"%s\" in: %s", part, text()).isLessThan(end);
      Thread.sleep(10);
    }
  }

  @Override
  public void close() {
    System.setErr(before);
  }
}
