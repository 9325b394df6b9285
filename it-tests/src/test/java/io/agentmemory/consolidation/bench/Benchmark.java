package io.agentmemory.consolidation.bench;

import io.agentmemory.consolidation.it.postgres.PostgresServer;
import java.util.ArrayList;
import java.util.List;

/**
 * Measures the library beside other libraries and plain SQL; see {@link Settings} for what can be
 * said. The results are {@code report.md} and charts in the output folder.
 */
public final class Benchmark {
  private static final String SETTINGS = "consolidation.postgres.settings";

  private Benchmark() {}

  /** Runs the sections; fails at the end if one of them did. */
  public static void main(String[] arguments) throws Exception {
    Settings settings = Settings.ofSystemProperties();
    Log log = new Log(System.out);
    Report report = new Report(settings.output(), log);
    if (System.getProperty(SETTINGS, "").isBlank()) {
      System.setProperty(SETTINGS, serverSettings());
    }
    List<String> failed = new ArrayList<>();
    try (PostgresServer server = PostgresServer.find(log::say);
        Bench bench = new Bench(settings, log, report, server)) {
      report.head(Machine.describe(settings, server.describe()).markdown());
      if (settings.quick()) {
        report.head("**A quick run, to see that everything works: its figures mean nothing.**");
      }
      report.head(
          "Real sentences, each with its embedding. ⚠: returned fewer rows than there are to"
              + " return. A figure is the median of the rounds, with the lowest and the highest of"
              + " them in brackets.");
      for (String section : settings.sections()) {
        long start = System.nanoTime();
        try {
          Sections.run(section, bench);
        } catch (Exception e) {
          failed.add(section);
          report.text("*Failed:* " + e);
          log.say("FAILED: " + section + ": " + e);
          e.printStackTrace();
        }
        report.text("*%s took %.0f s.*".formatted(section, MemoriesTable.seconds(start)));
        report.write();
      }
    }
    log.say("wrote " + report.folder().resolve("report.md"));
    if (!failed.isEmpty()) {
      throw new IllegalStateException("failed: " + failed);
    }
  }

  /** A server with everything in memory; a URL's server is taken as it is. */
  private static String serverSettings() {
    long megabytes = Math.min(6_144, Machine.memoryBytes() / 4 / (1 << 20));
    return "shared_buffers=" + megabytes + "MB;max_wal_size=8GB;checkpoint_timeout=1h";
  }
}
