package io.agentmemory.consolidation.schema;

import static io.agentmemory.consolidation.ddl.Identifiers.literal;
import static io.agentmemory.consolidation.ddl.Identifiers.quoted;

import io.agentmemory.consolidation.ddl.QualifiedName;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Checks that a host's table can be adopted, and that the mapping reads it. */
final class HostCheck {
  private static final String SETTINGS =
      "SELECT pg_catalog.set_config('search_path', %s, true),"
          + " pg_catalog.set_config('row_security', '%s', true)";

  private final HostTable host;
  private final boolean byDefault;

  /** What is tried, and the expression in it. */
  private final Map<String, String> expressions = new LinkedHashMap<>();

  HostCheck(SchemaOptions options, Extension extension) {
    this.host = options.hostTable();
    this.byDefault = host.equals(HostTable.created(options.schema()));
    QualifiedName vector = new QualifiedName(extension.schema(), options.vectorType().typeName());
    add(host.project(), "text");
    add(host.text(), "text");
    add(host.embedding(), vector.sql());
    add(host.type(), "text");
    add(host.success(), "boolean");
    add(host.time(), "timestamptz");
  }

  private void add(@Nullable String expression, String type) {
    if (expression != null) {
      expressions.put("(" + expression + "\n)::" + type, expression);
    }
  }

  /** A query for one text: why the table cannot be adopted; null, or no row, if it can. */
  static String problem(HostTable host) {
    return """
        SELECT CASE
          WHEN c.relkind NOT IN ('r', 'p') THEN 'it is no table'
          WHEN k.oid IS NULL THEN 'it has no primary key'
          WHEN cardinality(k.conkey) > 1 THEN 'its primary key has several columns'
          WHEN a.attname <> %2$s THEN 'its primary key is the column ' || a.attname
          WHEN y.typcategory <> 'S' THEN 'its primary key is of the type ' || y.typname
        END
        FROM (SELECT to_regclass(%1$s) AS oid) AS host
        LEFT JOIN pg_class c ON c.oid = host.oid
        LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
        LEFT JOIN pg_type y ON y.oid = a.atttypid
        """
        .formatted(literal(host.table().sql()), literal(host.idColumn()))
        .replace("CASE\n", "CASE\n  WHEN c.oid IS NULL THEN 'it does not exist'\n")
        .strip();
  }

  static String refusal(HostTable host) {
    return "The host's table "
        + host.table()
        + " cannot be adopted; it needs the primary key "
        + host.idColumn()
        + ", one column of a text type, but ";
  }

  void adoptable(Session session) {
    String problem = session.value("check the host's table", problem(host));
    if (problem != null) {
      throw new SchemaException(refusal(host) + problem);
    }
  }

  /**
   * Refuses a project that is a column whose values the server does not turn into text the same way
   * for ever, such as an enum: no index can hold that.
   */
  void indexable(Session session) {
    String column = OwnRevisions.projectColumn(host);
    if (column == null) {
      return;
    }
    String type =
        session.value(
            "check the type of the project",
            """
            SELECT format_type(a.atttypid, a.atttypmod)
            FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
            JOIN pg_proc f ON f.oid = y.typoutput
            WHERE a.attrelid = to_regclass(%s) AND quote_ident(a.attname) IN (%s, %s)
              AND a.attnum > 0 AND y.typcategory <> 'S' AND f.provolatile <> 'i'
            """
                .formatted(literal(host.table().sql()), literal(column), literal(quoted(column))));
    if (type != null) {
      throw new SchemaException(
          """
          Nothing was changed. The project of the host's table %s is the column %s of type %s, which \
          no index can hold as text: how its values are written may change. Map it by an expression, \
          HostTable.withProject("(%s)::text"): the index of unconsolidated task memories is then \
          one over all projects\
          """
              .formatted(host.table(), column, type, column.replace("\"", "\\\"")));
    }
  }

  /**
   * Tries every expression of the mapping on no row, under the search_path and the policies that
   * the application has. An expression that was given must work. The defaults need not fit an
   * adopted table: what does not work is a warning then.
   */
  List<String> mapping(Session session, boolean adopted, String searchPath) {
    List<String> warnings = new ArrayList<>();
    session.row("restore the search_path", SETTINGS.formatted(literal(searchPath), "on"));
    expressions.forEach(
        (tried, expression) -> {
          session.execute("set a savepoint", "SAVEPOINT mapping");
          try {
            session.rows(
                "try the mapping of the host's table",
                "SELECT " + tried + " FROM " + host.table().sql() + " LIMIT 0");
          } catch (SchemaSqlException e) {
            if (!adopted || !byDefault) {
              throw e;
            }
            warnings.add(
                "The host's table "
                    + host.table()
                    + " was adopted with the default mapping, in which "
                    + expression
                    + " does not work on it. Task memories cannot be read by such a mapping");
          }
          session.execute("go back to the savepoint", "ROLLBACK TO SAVEPOINT mapping");
        });
    session.row("set the search_path", SETTINGS.formatted("'pg_catalog, pg_temp'", "off"));
    return warnings;
  }
}
