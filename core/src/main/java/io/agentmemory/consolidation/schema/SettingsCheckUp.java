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
        OR name = 'work_mem' AND setting::bigint < 4096
      ORDER BY name
      """;

  /** What sessions of this role in this database begin with, or those of all. */
  private static final String OF_PGVECTOR =
      """
      SELECT c.setting, CASE WHEN s.setdatabase = 0 THEN 'the role '
          || quote_ident(current_user) WHEN s.setrole = 0 THEN 'the database '
          || quote_ident(current_database()) ELSE 'the role in this database' END
      FROM pg_db_role_setting s, unnest(s.setconfig) AS c(setting)
      WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
        AND s.setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = current_user))
        AND c.setting LIKE 'hnsw.%'
      ORDER BY c.setting
      """;

  private SettingsCheckUp() {}

  static List<Finding> findings(Session session) {
    String names = "'" + String.join("', '", WANTED.keySet()) + "'";
    List<Finding> findings = new ArrayList<>();
    for (List<@Nullable String> row :
        session.rows("look at the settings", QUERY.formatted(names))) {
      String name = String.valueOf(row.get(0));
      String effect = WANTED.get(name);
      if (name.equals("work_mem")) {
        findings.add(
            Finding.warning(
                "work_mem is "
                    + row.get(1)
                    + " kB: a search over an HNSW index ends when it has filled that, with fewer"
                    + " rows than there are",
                "Set it to its default, 4MB, or more"));
      } else if (effect == null) {
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
    for (List<@Nullable String> row : session.rows("look at pgvector's settings", OF_PGVECTOR)) {
      String name = String.valueOf(row.get(0)).replaceFirst("=.*", "");
      findings.add(
          Finding.note(
              row.get(0)
                  + " is set for "
                  + row.get(1)
                  + ": the library's searches have their own, all other SQL finds by that",
              "Set it for those that want it; ALTER DATABASE or ALTER ROLE … RESET " + name));
    }
    return findings;
  }
}
