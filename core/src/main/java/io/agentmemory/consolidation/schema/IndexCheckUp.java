package io.agentmemory.consolidation.schema;

import static io.agentmemory.consolidation.ddl.Identifiers.literal;

import io.agentmemory.consolidation.ddl.QualifiedName;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Looks at the indexes of tables, which are there: validity, size, what is in no order yet. */
final class IndexCheckUp {
  /**
   * An HNSW index has for each row its vector, 288 bytes or less of headers and neighbours, and no
   * row on two pages where it fits one.
   */
  private static final String VALIDITY =
      """
      SELECT i.indexrelid::regclass::text, i.indisvalid AND i.indisready AND i.indislive,
        b.amname = 'hnsw' AND pg_relation_size(i.indexrelid) > 67108864
          AND pg_relation_size(i.indexrelid)
            > 3 * greatest(x.reltuples, s.n_live_tup) * 8192 / greatest(1, 8140 / ({vector} + 288)),
        pg_size_pretty(pg_relation_size(i.indexrelid))
      FROM (VALUES %s) AS v(nspname, relname) JOIN pg_namespace n ON n.nspname = v.nspname
      JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = v.relname
      JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class x ON x.oid = i.indexrelid
      JOIN pg_am b ON b.oid = x.relam JOIN pg_stat_all_tables s ON s.relid = c.oid
      ORDER BY i.indexrelid
      """;

  /**
   * B-trees that are larger than their entries explain, by what was counted when the index was last
   * vacuumed, analysed or built: pages and entries are of the same moment, so that a load since
   * then does not look like bloat. What entries there are need is taken too high rather than too
   * low: every key on its own, though equal ones share an entry; every column aligned at its worst;
   * what is dead and not vacuumed counts as needed; pages as full as their fill factor says, and
   * none without statistics for each of its columns is judged. An embedding is whole in the index,
   * though the table's statistics know the pointer to it. Splits leave pages half full at worst,
   * twice what is needed; three times is something else.
   */
  private static final String BLOATED =
      """
      SELECT name, pg_size_pretty(pages * block) FROM (
        SELECT i.indexrelid::regclass::text AS name, x.relpages::bigint AS pages, block,
          x.reltuples + s.n_dead_tup AS entries, (block - 40) * coalesce((
            SELECT o.option_value FROM pg_options_to_table(x.reloptions) o
            WHERE o.option_name = 'fillfactor')::integer, 90) / 100 AS room, 4 + k.bytes AS bytes
        FROM (VALUES %s) AS v(nspname, relname) JOIN pg_namespace n ON n.nspname = v.nspname
        JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = v.relname
        JOIN pg_index i ON i.indrelid = c.oid AND i.indisvalid
        JOIN pg_class x ON x.oid = i.indexrelid
          AND (x.relname LIKE 'idx\\_tm\\_%%' OR v.relname <> {host})
        JOIN pg_am b ON b.oid = x.relam AND b.amname = 'btree'
        JOIN pg_stat_all_tables s ON s.relid = c.oid
        CROSS JOIN (SELECT current_setting('block_size')::bigint) AS z(block)
        CROSS JOIN LATERAL (
          SELECT CASE WHEN max(p.null_frac) > 0 THEN 16 ELSE 8 END + 7 + sum(
            (1 - p.null_frac) * CASE WHEN a.attname = 'embedding' THEN {vector} ELSE p.avg_width END
            + CASE t.typalign WHEN 'd' THEN 7 WHEN 'i' THEN 3 ELSE 0 END) AS bytes
          FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS key(attnum, place)
          JOIN pg_attribute e ON e.attrelid = x.oid AND e.attnum = key.place
          JOIN pg_type t ON t.oid = e.atttypid
          LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = key.attnum
            AND key.attnum > 0
          LEFT JOIN pg_stats p ON p.schemaname = n.nspname
            AND p.tablename = CASE WHEN a.attnum IS NULL THEN x.relname ELSE c.relname END
            AND p.attname = coalesce(a.attname, e.attname) AND NOT p.inherited
          HAVING count(p.avg_width) = count(*)) AS k
        WHERE x.relpages * block > 16777216 AND x.reltuples >= 0) AS index
      WHERE pages > 3 * (1 + entries / greatest(1, floor(room / bytes)))
      ORDER BY name
      """;

  /** What is written to a GIN index and not yet in its order; pgstattuple knows, where it is. */
  private static final String PENDING =
      """
      SELECT i.indexrelid::regclass::text, g.pending_pages * 8
      FROM (VALUES %s) AS v(nspname, relname) JOIN pg_namespace n ON n.nspname = v.nspname
      JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = v.relname
      JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class x ON x.oid = i.indexrelid
      JOIN pg_am b ON b.oid = x.relam AND b.amname = 'gin',
      {function}(i.indexrelid::regclass) g
      WHERE g.pending_pages * 8 > 4096
      ORDER BY i.indexrelid
      """;

  private static final String PENDING_FUNCTION =
      """
      SELECT p.oid::regproc::text FROM pg_proc p JOIN pg_depend d
        ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
      JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'pgstattuple'
      WHERE p.proname = 'pgstatginindex' AND has_function_privilege(p.oid, 'EXECUTE')
        AND has_schema_privilege(p.pronamespace, 'USAGE')
      """;

  /**
   * What a {@code REINDEX CONCURRENTLY} that failed leaves beside an index: to rebuild it would
   * make a second one of the same. It ends so, or does before the quote that ends it.
   */
  private static final Pattern LEFT_OVER = Pattern.compile("_cc(new|old)\\d*\"?$");

  private final Session session;
  private final SchemaOptions options;
  private final List<QualifiedName> tables;
  private final List<Finding> findings = new ArrayList<>();

  IndexCheckUp(Session session, SchemaOptions options, List<QualifiedName> tables) {
    this.session = session;
    this.options = options;
    this.tables = tables;
  }

  List<Finding> findings() {
    for (List<@Nullable String> row :
        session.rows("look at the indexes", values(sized(VALIDITY), tables))) {
      String name = String.valueOf(row.get(0));
      if (!"t".equals(row.get(1))) {
        findings.add(
            Finding.error(
                "The index " + name + " is invalid: it costs writes and helps no search",
                LEFT_OVER.matcher(name).find()
                    ? "DROP INDEX CONCURRENTLY " + name
                    : rebuild(name)));
      } else if ("t".equals(row.get(2))) {
        bloated(name, row.get(3));
      }
    }
    for (List<@Nullable String> row :
        session.rows("look at the sizes of indexes", values(sized(BLOATED), tables))) {
      bloated(String.valueOf(row.get(0)), row.get(1));
    }
    pendingLists();
    return findings;
  }

  /** The query with what an embedding and the length in front of it take. */
  private String sized(String query) {
    int width = options.vectorType() == VectorType.VECTOR ? Float.BYTES : Float.BYTES / 2;
    return query
        .replace("{vector}", width * options.dimensions() + 8 + "")
        .replace("{host}", literal(options.hostTable().table().name()));
  }

  /** The query with the schemas and names of the tables for {@code %s}. */
  static String values(String query, List<QualifiedName> tables) {
    return query.formatted(
        tables.stream()
            .map(
                table ->
                    "(%s::name, %s::name)"
                        .formatted(literal(table.schema()), literal(table.name())))
            .collect(Collectors.joining(", ")));
  }

  private void bloated(String name, @Nullable String size) {
    findings.add(
        Finding.warning(
            "The index " + name + " takes " + size + ", over three times what its rows need",
            rebuild(name)));
  }

  private static String rebuild(String name) {
    return "REINDEX INDEX CONCURRENTLY " + name;
  }

  private void pendingLists() {
    String function = session.value("look for pgstattuple", PENDING_FUNCTION);
    if (function == null) {
      return;
    }
    String query = PENDING.replace("{function}", function);
    for (List<@Nullable String> row :
        session.rows("look at the pending lists", values(query, tables))) {
      findings.add(
          Finding.warning(
              "%s kB written to %s are in no order yet: every search by it reads them all"
                  .formatted(row.get(1), row.get(0)),
              "SELECT gin_clean_pending_list(" + literal(String.valueOf(row.get(0))) + ")"));
    }
  }
}
