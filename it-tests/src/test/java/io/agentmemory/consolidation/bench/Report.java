package io.agentmemory.consolidation.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The results as Markdown, written anew after each section, so that nothing measured is lost. */
final class Report {
  private final Path folder;
  private final Log log;
  private final StringBuilder head = new StringBuilder();
  private final StringBuilder body = new StringBuilder();
  private final Table verdicts = new Table("what", "wanted", "measured", "");

  Report(Path folder, Log log) {
    this.folder = folder;
    this.log = log;
  }

  Path folder() {
    return folder;
  }

  /** What stands at the top, before the verdicts. */
  void head(String markdown) {
    head.append(markdown).append("\n\n");
  }

  void section(String title) {
    body.append("## ").append(title).append("\n\n");
    log.say("== " + title);
  }

  void text(String markdown) {
    body.append(markdown).append("\n\n");
  }

  void table(Table table) {
    body.append(table.markdown()).append('\n');
  }

  /** What could not be measured, said aloud. */
  void skipped(String what) {
    text("*Skipped:* " + what);
    log.say("SKIPPED: " + what);
  }

  void chart(String title, String file) {
    text("![%s](%s)".formatted(title, file));
  }

  void verdict(String what, String wanted, String measured, boolean met) {
    verdicts.row(what, wanted, measured, mark(met));
  }

  static String mark(boolean met) {
    return met ? "✓" : "✗";
  }

  void write() {
    List<String> parts = new ArrayList<>(List.of("# Benchmark\n\n", head.toString()));
    if (!verdicts.isEmpty()) {
      parts.add("## What it must reach\n\n" + verdicts.markdown() + "\n");
    }
    parts.add(body.toString());
    try {
      Files.createDirectories(folder);
      Files.writeString(folder.resolve("report.md"), String.join("", parts).stripTrailing() + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
