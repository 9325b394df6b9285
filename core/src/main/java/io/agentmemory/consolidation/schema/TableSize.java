package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.Identifiers;
import io.agentmemory.consolidation.ddl.QualifiedName;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * How large a table is.
 *
 * @param bytes its rows, with what is stored out of line, without its indexes; its partitions' too
 * @param partitioned whether it is partitioned
 */
record TableSize(long bytes, boolean partitioned) {

  /** Of a table {@code c} in {@code pg_class}. */
  private static final String BYTES =
      """
      CASE WHEN c.relkind = 'p'
          THEN (SELECT coalesce(sum(pg_table_size(p.relid)), 0) FROM pg_partition_tree(c.oid) p)
          ELSE pg_table_size(c.oid) END""";

  /** A query for the size of one table; no row if it does not exist. */
  static String query(QualifiedName table) {
    return "SELECT %s FROM pg_class c WHERE c.oid = to_regclass(%s)"
        .formatted(BYTES, Identifiers.literal(table.sql()));
  }

  /** The sizes of those tables of a plan that exist. */
  static Map<QualifiedName, TableSize> of(Session session, Plan plan) {
    return of(session, plan.changes().stream().map(Change::target).collect(Collectors.toSet()));
  }

  /** The sizes of those tables that exist. */
  static Map<QualifiedName, TableSize> of(Session session, Set<QualifiedName> names) {
    Map<String, QualifiedName> tables =
        names.stream().collect(Collectors.toMap(QualifiedName::sql, name -> name));
    Map<QualifiedName, TableSize> sizes = new HashMap<>();
    if (tables.isEmpty()) {
      return sizes;
    }
    String values =
        tables.keySet().stream()
            .map(name -> "(" + Identifiers.literal(name) + ")")
            .collect(Collectors.joining(", "));
    String sql =
        """
        SELECT t.name, c.relkind = 'p', %s
        FROM (VALUES %s) AS t(name) JOIN pg_class c ON c.oid = to_regclass(t.name)
        WHERE pg_table_size(c.oid) IS NOT NULL
        """
            .formatted(BYTES, values);
    for (List<@Nullable String> row : session.rows("read the sizes of the tables", sql)) {
      QualifiedName table = tables.get(String.valueOf(row.get(0)));
      if (table != null) {
        sizes.put(
            table,
            new TableSize(Long.parseLong(String.valueOf(row.get(2))), "t".equals(row.get(1))));
      }
    }
    return sizes;
  }
}
