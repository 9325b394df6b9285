package io.agentmemory.consolidation.schema;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Settings of the session that make searches worse without a word. What searches set themselves,
 * such as {@code jit} and {@code hnsw.iterative_scan}, is none of them.
 */
final class SettingsCheckUp {
  private static final Map<String, String> WANTED =
      Map.of(
          "enable_indexscan", "Searches by vector and lists do without their indexes",
          "enable_bitmapscan", "Searches by text do without their indexes",
          "enable_indexonlyscan", "Searches of small projects read the table beside the index",
          "autovacuum", "Nobody vacuums and analyses the tables by themselves",
          "track_counts", "The server does not know when a table needs a vacuum");

  private static final String QUERY =
      """
      SELECT name, setting, source, context FROM pg_settings
      WHERE setting = 'off' AND name IN (%s)
        OR name = 'gin_pending_list_limit' AND setting::bigint > 65536
      ORDER BY name
      """;

  private SettingsCheckUp() {}

  static List<Finding> findings(Session session) {
    String names = "'" + String.join("', '", WANTED.keySet()) + "'";
    List<Finding> findings = new ArrayList<>();
    for (List<@Nullable String> row :
        session.rows("look at the settings", QUERY.formatted(names))) {
      String name = String.valueOf(row.get(0));
      String effect = WANTED.get(name);
      if (effect == null) {
        findings.add(
            Finding.warning(
                "gin_pending_list_limit is " + row.get(1) + " kB, which searches by text scan",
                "Set it to its default, 4MB"));
      } else {
        findings.add(
            Finding.warning(
                effect + ": " + name + " is off (set by: " + row.get(2) + ")",
                "sighup".equals(row.get(3))
                    ? "ALTER SYSTEM SET " + name + " = on; SELECT pg_reload_conf()"
                    : "SET " + name + " = on, where it is set off"));
      }
    }
    return findings;
  }
}
