package io.agentmemory.consolidation.schema;

import static io.agentmemory.consolidation.ddl.Identifiers.literal;
import static io.agentmemory.consolidation.ddl.Identifiers.quoted;

import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.QualifiedName;
import io.agentmemory.consolidation.ddl.Renderer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Compares tables with their definition in the server's own words: beside each stands an empty
 * temporary twin, made from the definition, and the catalog is asked the same about both.
 */
final class Verifier {
  static final String ABSENT = "absent";

  /** Two columns, path and value, of one table. */
  private static final String DESCRIBE =
      """
      WITH t AS (
        SELECT c.oid, c.relname, n.nspname
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = to_regclass(%s)),
      columns AS (
        SELECT a.*, pg_get_expr(d.adbin, d.adrelid) AS expression
        FROM t JOIN pg_attribute a ON a.attrelid = t.oid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attnum > 0 AND NOT a.attisdropped),
      indexes AS (
        SELECT i.*, c.relname, pg_get_indexdef(i.indexrelid) AS definition, t.nspname,
          t.relname AS tablename
        FROM t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class c ON c.oid = i.indexrelid)
      SELECT 'column ' || attname || ' type', format_type(atttypid, atttypmod) FROM columns
      UNION ALL
      SELECT 'column ' || attname || ' null', CASE WHEN attnotnull THEN 'not null' ELSE 'null' END
      FROM columns
      UNION ALL
      SELECT 'column ' || attname || ' default',
        CASE WHEN attgenerated = '' THEN expression ELSE 'generated as ' || expression END
      FROM columns WHERE expression IS NOT NULL
      UNION ALL
      SELECT 'constraint ' || conname, pg_get_constraintdef(k.oid)
      FROM t JOIN pg_constraint k ON k.conrelid = t.oid WHERE k.contype NOT IN ('n', 't')
      UNION ALL
      SELECT 'index ' || relname, CASE WHEN indisunique THEN 'UNIQUE ' ELSE '' END
        || replace(replace(regexp_replace(substr(definition,
          strpos(definition, quote_ident(relname) || ' ON ')
          + length(quote_ident(relname) || ' ON ')), '^ONLY ', ''),
          format('%%I.%%I ', nspname, tablename), ''), format('pg_temp.%%I ', tablename), '')
      FROM indexes
      UNION ALL
      SELECT 'index ' || relname || ' state', CASE WHEN indisvalid AND indisready AND indislive
        THEN 'valid' ELSE 'invalid' END
      FROM indexes
      UNION ALL
      SELECT 'row-level security', CASE WHEN relforcerowsecurity THEN 'enabled and forced'
        ELSE 'enabled' END
      FROM t JOIN pg_class c USING (oid) WHERE c.relrowsecurity
      UNION ALL
      SELECT 'policy ' || polname, concat_ws(' ',
        CASE WHEN polpermissive THEN 'permissive' ELSE 'restrictive' END, 'for', polcmd,
        'to', (SELECT string_agg(CASE r WHEN 0 THEN 'public' ELSE pg_get_userbyid(r) END, ', ')
          FROM unnest(polroles) r),
        'using', pg_get_expr(polqual, polrelid), 'with check', pg_get_expr(polwithcheck, polrelid))
      FROM t JOIN pg_policy p ON p.polrelid = t.oid
      WHERE NOT (polname = '%s' AND relname = 'consolidation_jobs' AND NOT 0 = ANY (polroles))
      """;

  /**
   * The expressions of one table as a dump writes them. Read again they may come out in other
   * words: {@code a IN ('x', 'y')} over a varchar is cast as a whole array at first, element by
   * element after a dump and restore.
   */
  private static final String RESTATE =
      """
      SELECT 'column ' || a.attname, pg_get_expr(d.adbin, d.adrelid)
      FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
      WHERE d.adrelid = %1$s::regclass
      UNION ALL
      SELECT 'check ' || conname, pg_get_expr(conbin, conrelid)
      FROM pg_constraint WHERE conrelid = %1$s::regclass AND contype = 'c'
      UNION ALL
      SELECT 'where ' || c.relname, pg_get_expr(i.indpred, i.indrelid)
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
      WHERE i.indrelid = %1$s::regclass AND i.indpred IS NOT NULL
      """;

  private final Session session;
  private final Renderer renderer;

  Verifier(Session session, Renderer renderer) {
    this.session = session;
    this.renderer = renderer;
  }

  /** To be called in a transaction that is rolled back. */
  List<Difference> differences(Definition definition) {
    List<Difference> differences = new ArrayList<>();
    for (Definition.Part part : definition.parts()) {
      QualifiedName name = part.table().name();
      Map<String, String> actual = read("describe a table", DESCRIBE, name);
      if (actual.isEmpty()) {
        differences.add(new Difference(name.sql(), "a table", ABSENT));
        continue;
      }
      QualifiedName twin = makeTwin(part);
      Map<String, String> expected = read("describe a twin", DESCRIBE, twin);
      if (!actual.equals(expected)) {
        Map<String, String> restated = read("restate a twin", RESTATE, twin);
        dropTwin(twin);
        makeTwin(part.restated(restated));
        Map<String, String> restored = read("describe a twin", DESCRIBE, twin);
        expected.replaceAll(
            (path, value) ->
                restored.getOrDefault(path, value).equals(actual.get(path))
                    ? restored.getOrDefault(path, value)
                    : value);
      }
      dropTwin(twin);
      expected.keySet().removeIf(path -> !part.defines(path));
      compare(part, expected, actual, differences);
    }
    return differences;
  }

  private QualifiedName makeTwin(Definition.Part part) {
    QualifiedName name = part.table().name();
    QualifiedName twin = new QualifiedName("pg_temp", name.name());
    if (!part.whole()) {
      session.execute("make a twin", "CREATE TABLE %s (LIKE %s)".formatted(twin.sql(), name.sql()));
      session.execute(
          "leave our columns out of the twin",
          part.table().columns().stream()
              .map(column -> "DROP COLUMN IF EXISTS " + quoted(column.name()))
              .collect(Collectors.joining(", ", "ALTER TABLE " + twin.sql() + " ", "")));
    }
    for (Change change : part.copy(twin)) {
      session.execute(new Statements.Planned(null, renderer.render(change)));
    }
    return twin;
  }

  private void dropTwin(QualifiedName twin) {
    session.execute("drop a twin", "DROP TABLE " + twin.sql());
  }

  private Map<String, String> read(String what, String query, QualifiedName table) {
    Map<String, String> values = new TreeMap<>();
    session
        .rows(what, query.formatted(literal(table.sql()), Grants.ALL_PROJECTS))
        .forEach(row -> values.put(String.valueOf(row.get(0)), String.valueOf(row.get(1))));
    return values;
  }

  private static void compare(
      Definition.Part part,
      Map<String, String> expected,
      Map<String, String> actual,
      List<Difference> differences) {
    String table = part.table().name().sql();
    expected.forEach(
        (path, value) -> {
          String found = actual.getOrDefault(path, ABSENT);
          if (!found.equals(value)) {
            differences.add(new Difference(table + " " + path, value, found));
          }
        });
    actual.forEach(
        (path, value) -> {
          boolean policy = path.startsWith("policy ") || path.startsWith("row-level ");
          boolean own = part.whole() && !path.startsWith("index ") && (!policy || part.secured());
          boolean changedDefault =
              path.endsWith(" default")
                  && expected.containsKey(path.replaceFirst(" default$", " type"));
          if ((own || changedDefault) && !expected.containsKey(path)) {
            differences.add(new Difference(table + " " + path, ABSENT, value));
          }
        });
  }
}
