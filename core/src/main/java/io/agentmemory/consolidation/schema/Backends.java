package io.agentmemory.consolidation.schema;

import static io.agentmemory.consolidation.ddl.Identifiers.literal;

import io.agentmemory.consolidation.ddl.QualifiedName;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Tells who other sessions are, as far as this role may see. */
final class Backends {
  /**
   * What to select of {@code pg_stat_activity AS a}; of a query no value, which may be a secret.
   */
  static final String COLUMNS =
      """
      pg_catalog.concat('pid ', a.pid),
        'role ' OPERATOR(pg_catalog.||) a.usename::pg_catalog.text,
        'application ' OPERATOR(pg_catalog.||) a.application_name,
        'in its transaction since ' OPERATOR(pg_catalog.||) a.xact_start::pg_catalog.text,
        a.state OPERATOR(pg_catalog.||) ' since '
          OPERATOR(pg_catalog.||) a.state_change::pg_catalog.text,
        pg_catalog.left(pg_catalog.substring(a.query, '^[^''$]*'), 100)""";

  /**
   * Whoever kept somebody waiting for all of a timeout had the lock before, so its transaction is
   * older than that. A role that may not see how old it is takes everybody with a lock.
   */
  private static final String IN_THE_WAY =
      """
      SELECT %s
      FROM pg_catalog.pg_stat_activity a
      WHERE a.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
        AND (a.xact_start IS NULL OR a.xact_start OPERATOR(pg_catalog.<=)
          (pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) '%d ms'::pg_catalog.interval))
        AND EXISTS (SELECT FROM pg_catalog.pg_locks l
          WHERE l.pid OPERATOR(pg_catalog.=) a.pid AND l.granted
            AND l.locktype OPERATOR(pg_catalog.=) 'relation'
            AND l.database OPERATOR(pg_catalog.=) a.datid
            AND l.relation OPERATOR(pg_catalog.=) ANY (ARRAY[%s]::pg_catalog.regclass[]))
      ORDER BY a.xact_start LIMIT 5
      """;

  private Backends() {}

  /** One line of what was selected. */
  static String describe(List<@Nullable String> row) {
    return row.stream()
        .filter(text -> text != null && !text.isEmpty())
        .collect(Collectors.joining(", "));
  }

  /** Who was in the way of a lock on tables for all of a timeout; a line each. */
  static String inTheWay(Session session, Collection<QualifiedName> tables, Duration timeout) {
    String names =
        tables.stream()
            .distinct()
            .map(table -> "pg_catalog.to_regclass(" + literal(table.sql()) + ")")
            .collect(Collectors.joining(", "));
    String found =
        session
            .rows("see who is in the way", IN_THE_WAY.formatted(COLUMNS, timeout.toMillis(), names))
            .stream()
            .map(row -> "\n  - " + describe(row))
            .collect(Collectors.joining());
    return found.isEmpty() ? "" : "\nIn the way:" + found;
  }
}
