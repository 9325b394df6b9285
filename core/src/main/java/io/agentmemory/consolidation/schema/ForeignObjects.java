package io.agentmemory.consolidation.schema;

import static io.agentmemory.consolidation.ddl.Identifiers.literal;

import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.Check;
import io.agentmemory.consolidation.ddl.Column;
import io.agentmemory.consolidation.ddl.QualifiedName;
import io.agentmemory.consolidation.ddl.Table;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Writes queries for what is not defined here and would go along with a dropped table or column:
 * columns, views, indexes, constraints, triggers, policies, statistics, functions over its rows.
 */
final class ForeignObjects {
  private final Set<String> indexes = new LinkedHashSet<>();
  private final Set<String> policies = new LinkedHashSet<>(Set.of(Grants.ALL_PROJECTS));
  private final Plan plan;

  ForeignObjects(Plan plan) {
    this.plan = plan;
    for (Change change : plan.changes()) {
      if (change instanceof Change.DropIndex drop) {
        indexes.add(drop.index().name());
      }
      if (change instanceof Change.DropPolicy drop) {
        policies.add(drop.policy().name());
      }
    }
  }

  /** A query for one column of descriptions; empty for a change that drops neither. */
  Optional<String> query(Change change) {
    if (change instanceof Change.DropTable drop) {
      Set<String> columns = names(drop.table().columns());
      for (Change other : plan.changes()) {
        if (other instanceof Change.DropColumns more && more.target().equals(drop.target())) {
          columns.addAll(names(more.columns()));
        }
      }
      return Optional.of(ofTable(drop.table(), columns));
    }
    if (change instanceof Change.DropColumns drop) {
      String table = regclass(drop.target());
      Set<String> columns = names(drop.columns());
      String scope =
          "d.refclassid = 'pg_class'::regclass AND d.refobjid = "
              + table
              + "\n  AND d.refobjsubid IN (SELECT attnum FROM pg_attribute WHERE attrelid = "
              + table
              + " AND "
              + in("attname", columns)
              + ")";
      return Optional.of(dependents(table, scope, columns, List.of()));
    }
    return Optional.empty();
  }

  private String ofTable(Table definition, Set<String> columns) {
    String table = regclass(definition.name());
    List<String> constraints =
        new ArrayList<>(definition.checks().stream().map(Check::name).toList());
    constraints.add(definition.primaryKeyName());
    String scope =
        """
        (d.refclassid = 'pg_class'::regclass AND d.refobjid = %1$s
            OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (
              SELECT y.oid FROM pg_type y, pg_class c WHERE c.oid = %1$s
              AND (y.oid = c.reltype OR y.typelem = c.reltype)))"""
            .formatted(table);
    String foreignColumns =
        """
        SELECT 'column ' || quote_ident(attname) || ' of table ' || %1$s::text
        FROM pg_attribute
        WHERE attrelid = %1$s AND attnum > 0 AND NOT attisdropped AND NOT %2$s
        """
            .formatted(table, in("attname", columns));
    return dependents(table, scope, columns, constraints) + "\nUNION\n" + foreignColumns.strip();
  }

  private String dependents(
      String table, String scope, Collection<String> columns, Collection<String> constraints) {
    return """
        SELECT CASE WHEN d.classid = 'pg_rewrite'::regclass
          THEN pg_describe_object('pg_class'::regclass,
            (SELECT ev_class FROM pg_rewrite WHERE oid = d.objid), 0)
          ELSE pg_describe_object(d.classid, d.objid, d.objsubid) END
        FROM pg_depend d
        WHERE %2$s
          AND NOT (d.classid = 'pg_type'::regclass)
          AND NOT (d.classid = 'pg_class'::regclass AND EXISTS (
            SELECT FROM pg_class c, pg_class t WHERE c.oid = d.objid AND t.oid = %1$s
              AND (c.oid = t.oid OR c.relkind = 't'
                OR c.relkind IN ('i', 'I') AND c.relnamespace = t.relnamespace AND %3$s)))
          AND NOT (d.classid = 'pg_constraint'::regclass AND EXISTS (
            SELECT FROM pg_constraint k WHERE k.oid = d.objid AND k.conrelid = %1$s
              AND (k.contype = 'n' OR %4$s)))
          AND NOT (d.classid = 'pg_attrdef'::regclass AND EXISTS (
            SELECT FROM pg_attrdef f, pg_attribute a WHERE f.oid = d.objid
              AND f.adrelid = %1$s AND a.attrelid = f.adrelid AND a.attnum = f.adnum AND %5$s))
          AND NOT (d.classid = 'pg_policy'::regclass AND EXISTS (
            SELECT FROM pg_policy p WHERE p.oid = d.objid AND p.polrelid = %1$s AND %6$s))"""
        .formatted(
            table,
            scope,
            in("c.relname", indexes),
            in("k.conname", constraints),
            in("a.attname", columns),
            in("p.polname", policies));
  }

  private static Set<String> names(List<Column> columns) {
    return columns.stream().map(Column::name).collect(Collectors.toCollection(LinkedHashSet::new));
  }

  private static String regclass(QualifiedName name) {
    return literal(name.sql()) + "::regclass";
  }

  private static String in(String name, Collection<String> values) {
    return values.isEmpty()
        ? "false"
        : values.stream()
            .map(value -> literal(value))
            .collect(Collectors.joining(", ", name + " IN (", ")"));
  }
}
