package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Hazard;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What an upgrade would do, statement by statement. What it says of sizes is as of its making.
 *
 * <p>Immutable and thread-safe.
 *
 * @param statements in the order in which they run, those that run online last
 * @param script the same for {@code psql}: it reaches the same end state, history included, but
 *     does not try again where a lock is not to be had
 */
public record UpgradePlan(List<PlannedStatement> statements, String script) {
  private static final List<String> HEADINGS =
      List.of("#", "statement", "lock", "on table", "size", "rows", "runs", "hazards");

  /**
   * Copies the list.
   *
   * @param statements in the order in which they run, those that run online last
   * @param script the same for {@code psql}: it reaches the same end state, history included, but
   *     does not try again where a lock is not to be had
   */
  public UpgradePlan {
    statements = List.copyOf(statements);
  }

  /**
   * Whether nothing is to be done.
   *
   * @return true if there are no statements
   */
  public boolean isEmpty() {
    return statements.isEmpty();
  }

  /**
   * What has to be allowed by {@link Schema#allowing} before it runs. Where data would be deleted,
   * that matters only if there is any.
   *
   * @return the hazards of all statements
   */
  public Set<Hazard> hazards() {
    Set<Hazard> hazards = EnumSet.noneOf(Hazard.class);
    statements.forEach(statement -> hazards.addAll(statement.hazards()));
    return hazards;
  }

  /** A table to read, a line for each statement. */
  @Override
  public String toString() {
    return table(statements);
  }

  static String table(List<PlannedStatement> statements) {
    if (statements.isEmpty()) {
      return "Nothing to do\n";
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(HEADINGS);
    for (PlannedStatement each : statements) {
      rows.add(row(rows.size(), each));
    }
    StringBuilder table = new StringBuilder();
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < row.size(); i++) {
        int column = i;
        int width = rows.stream().mapToInt(other -> other.get(column).length()).max().orElse(0);
        line.append(row.get(i)).append(" ".repeat(width - row.get(i).length() + 2));
      }
      table.append(line.toString().stripTrailing()).append('\n');
    }
    return table.toString();
  }

  private static List<String> row(int number, PlannedStatement each) {
    return List.of(
        String.valueOf(number),
        each.name(),
        each.lock() == null ? "" : each.lock().sql(),
        each.table() == null ? "" : each.table().schema() + "." + each.table().name(),
        each.table() == null ? "" : each.exists() ? size(each.tableBytes()) : "new",
        work(each),
        each.online() ? "online" : "in transaction",
        each.hazards().stream().map(Hazard::name).sorted().collect(Collectors.joining(", ")));
  }

  private static String work(PlannedStatement each) {
    String work =
        switch (each.work()) {
          case NONE -> "";
          case SCAN -> "scanned";
          case REWRITE -> "rewritten";
        };
    return each.deletesData() ? (work + " deleted").strip() : work;
  }

  static String size(long bytes) {
    String[] units = {"B", "kB", "MB", "GB", "TB"};
    double value = bytes;
    int unit = 0;
    while (value >= 1024 && unit < units.length - 1) {
      value /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  }
}
