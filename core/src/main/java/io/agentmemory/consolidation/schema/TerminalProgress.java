package io.agentmemory.consolidation.schema;

import java.io.PrintStream;
import java.util.Locale;
import java.util.Objects;

/** Shows the progress of index builds in a line of a terminal, one line for each index. */
public final class TerminalProgress implements ProgressListener {
  private final PrintStream out;
  private int width;

  private TerminalProgress(PrintStream out) {
    this.out = Objects.requireNonNull(out, "out");
  }

  /**
   * Shows it on a terminal.
   *
   * @param out for example {@code System.err}; not closed
   * @return a listener
   */
  public static TerminalProgress on(PrintStream out) {
    return new TerminalProgress(out);
  }

  @Override
  public synchronized void progress(BuildProgress progress) {
    String line = line(progress);
    out.print('\r' + line + " ".repeat(Math.max(0, width - line.length())));
    width = line.length();
    if (progress.phase().equals(BuildProgress.FINISHED)) {
      out.println();
      width = 0;
    }
    out.flush();
  }

  private static String line(BuildProgress progress) {
    StringBuilder line = new StringBuilder();
    line.append(progress.index()).append(": ").append(progress.phase());
    if (progress.total() > 0) {
      line.append(
          String.format(
              Locale.ROOT,
              " %d %% (%,d of %,d %s)",
              100 * progress.done() / progress.total(),
              progress.done(),
              progress.total(),
              progress.unit()));
    }
    if (progress.perSecond() > 0) {
      line.append(
          String.format(Locale.ROOT, ", %,.0f %s/s", progress.perSecond(), progress.unit()));
    }
    if (progress.left() != null) {
      line.append(", ").append(progress.left().toSeconds()).append(" s left");
    }
    return line.append(", ").append(progress.elapsed().toSeconds()).append(" s").toString();
  }
}
