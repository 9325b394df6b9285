package io.agentmemory.consolidation.dao;

import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * What {@link RecallProbe} measured.
 *
 * @param limit how many neighbours were searched for
 * @param rows the figures, small projects first, the default effort before others
 * @param advice what to change, the most important first; empty where nothing needs to be
 * @param complete whether all that was asked for was measured; false where time ran out
 */
public record RecallReport(int limit, List<RecallRow> rows, List<String> advice, boolean complete) {

  /**
   * Keeps unmodifiable copies.
   *
   * @param limit how many neighbours were searched for
   * @param rows the figures
   * @param advice what to change
   * @param complete whether all was measured
   */
  public RecallReport {
    rows = List.copyOf(rows);
    advice = List.copyOf(advice);
  }

  /**
   * The figures as a Markdown table, the advice as a list below it.
   *
   * @return the text, ending with a line break
   */
  public String toMarkdown() {
    StringBuilder text =
        new StringBuilder(
            """
            | memories in the project | projects | searches | candidates | recall@%d | rows | \
            p50 ms | p95 ms | exact p50 ms | exact p95 ms | strategy |
            | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
            """
                .formatted(limit));
    for (RecallRow row : rows) {
      text.append(
          String.format(
              Locale.ROOT,
              "| %s | %d | %d | %s | %.3f | %.1f of %.1f | %s | %s | %s | %s | %s |\n",
              row.size().label(),
              row.projects(),
              row.searches(),
              row.effortLabel(),
              row.recall(),
              row.rows(),
              row.expectedRows(),
              millis(row.p50()),
              millis(row.p95()),
              millis(row.exactP50()),
              millis(row.exactP95()),
              String.join(", ", row.strategies().stream().map(Enum::name).sorted().toList())));
    }
    if (!complete) {
      text.append("\nTime ran out before all projects were measured.\n");
    }
    if (!advice.isEmpty()) {
      text.append('\n');
      advice.forEach(line -> text.append("- ").append(line).append('\n'));
    }
    return text.toString();
  }

  private static String millis(Duration time) {
    return String.format(Locale.ROOT, "%.2f", time.getSeconds() * 1e3 + time.getNano() / 1e6);
  }

  /** The same as {@link #toMarkdown}. */
  @Override
  public String toString() {
    return toMarkdown();
  }
}
