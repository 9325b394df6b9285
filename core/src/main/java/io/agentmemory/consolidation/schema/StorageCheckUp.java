package io.agentmemory.consolidation.schema;

import static io.agentmemory.consolidation.ddl.Identifiers.literal;

import io.agentmemory.consolidation.ddl.QualifiedName;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Looks at the tables, which are there, and at their indexes. */
final class StorageCheckUp {
  private static final long MANY_ROWS = 10_000;

  private static final String TABLES =
      """
      SELECT c.oid::regclass::text, greatest(c.reltuples, s.n_live_tup)::bigint, s.n_dead_tup,
        coalesce(s.last_vacuum, s.last_autovacuum) IS NOT NULL,
        coalesce(s.last_analyze, s.last_autoanalyze) IS NOT NULL,
        'autovacuum_enabled=false' = ANY (coalesce(c.reloptions, '{}'))
          OR 'autovacuum_enabled=off' = ANY (coalesce(c.reloptions, '{}'))
      FROM (VALUES %s) AS v(nspname, relname) JOIN pg_namespace n ON n.nspname = v.nspname
      JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = v.relname
      JOIN pg_stat_all_tables s ON s.relid = c.oid
      ORDER BY c.oid
      """;

  /**
   * A b-tree's entry is a header, a line pointer and its keys; pages are at least half full. An
   * HNSW index has for each row its vector, 288 bytes or less of headers and neighbours, and no row
   * on two pages where it fits one.
   */
  private static final String INDEXES =
      """
      SELECT i.indexrelid::regclass::text, i.indisvalid AND i.indisready AND i.indislive,
        pg_relation_size(i.indexrelid) > 67108864 AND pg_relation_size(i.indexrelid)
          > 3 * greatest(x.reltuples, s.n_live_tup) * CASE b.amname
            WHEN 'btree' THEN 12 + (
              SELECT coalesce(sum(p.avg_width), 100) FROM pg_attribute a JOIN pg_stats p
                ON p.schemaname = n.nspname AND p.tablename = c.relname AND p.attname = a.attname
              WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey))
            WHEN 'hnsw' THEN 8192 / greatest(1, 8140 / ({vector} + 288)) END,
        pg_size_pretty(pg_relation_size(i.indexrelid))
      FROM (VALUES %s) AS v(nspname, relname) JOIN pg_namespace n ON n.nspname = v.nspname
      JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = v.relname
      JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class x ON x.oid = i.indexrelid
      JOIN pg_am b ON b.oid = x.relam JOIN pg_stat_all_tables s ON s.relid = c.oid
      ORDER BY i.indexrelid
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

  private static final String MEMORY =
      """
      SELECT pg_size_bytes(current_setting('maintenance_work_mem')),
        greatest(c.reltuples, s.n_live_tup)::bigint
      FROM (VALUES %s) AS v(nspname, relname) JOIN pg_namespace n ON n.nspname = v.nspname
      JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = v.relname
      JOIN pg_stat_all_tables s ON s.relid = c.oid
      """;

  private final Session session;
  private final SchemaOptions options;
  private final QualifiedName memories;
  private final List<QualifiedName> tables;

  StorageCheckUp(Session session, SchemaOptions options) {
    this.session = session;
    this.options = options;
    this.memories = new QualifiedName(options.schema(), "consolidated_memories");
    this.tables =
        List.of(
            memories,
            new QualifiedName(options.schema(), "consolidation_jobs"),
            options.hostTable().table());
  }

  List<Finding> findings() {
    List<Finding> findings = new ArrayList<>();
    pending(findings);
    for (List<@Nullable String> row : session.rows("look at the tables", values(TABLES, tables))) {
      table(row, findings);
    }
    int width = options.vectorType() == VectorType.VECTOR ? 4 : 2;
    String indexes = INDEXES.replace("{vector}", width * options.dimensions() + 8 + "");
    for (List<@Nullable String> row :
        session.rows("look at the indexes", values(indexes, tables))) {
      index(row, findings);
    }
    pendingLists(findings);
    memory(findings);
    return findings;
  }

  private void pending(List<Finding> findings) {
    String history = literal(new History(options).name().sql());
    if (!session.holds(
        "see whether the history may be read",
        "has_table_privilege(" + history + "::regclass, 'SELECT')")) {
      return;
    }
    for (Applied row : Snapshot.read(session.connection(), options).applied()) {
      for (String index : row.pending()) {
        findings.add(
            Finding.warning(
                "The index " + index + " is still to be built, unless somebody does so now",
                "Run Schema.on(dataSource, options).upgrade()"));
      }
    }
  }

  private static String values(String query, List<QualifiedName> tables) {
    return query.formatted(
        tables.stream()
            .map(
                table ->
                    "(%s::name, %s::name)"
                        .formatted(literal(table.schema()), literal(table.name())))
            .collect(Collectors.joining(", ")));
  }

  private static void table(List<@Nullable String> row, List<Finding> findings) {
    String name = String.valueOf(row.get(0));
    long rows = number(row.get(1));
    long dead = number(row.get(2));
    if ("t".equals(row.get(5))) {
      findings.add(
          Finding.warning(
              "Autovacuum is off for " + name,
              "ALTER TABLE " + name + " RESET (autovacuum_enabled)"));
    }
    if (rows >= MANY_ROWS && !"t".equals(row.get(4))) {
      findings.add(
          Finding.warning(
              name + " was never analysed, so plans for its " + rows + " rows are guesses",
              "ANALYZE " + name));
    }
    if (rows >= MANY_ROWS && !"t".equals(row.get(3))) {
      findings.add(
          Finding.warning(
              name + " was never vacuumed, so scans of an index alone read the table as well",
              "VACUUM " + name));
    }
    if (dead >= MANY_ROWS && dead * 5 > rows) {
      findings.add(
          Finding.warning(
              name + " has " + dead + " dead rows beside " + rows + " live ones",
              "VACUUM " + name));
    }
  }

  private static void index(List<@Nullable String> row, List<Finding> findings) {
    String name = String.valueOf(row.get(0));
    if (!"t".equals(row.get(1))) {
      findings.add(
          Finding.error(
              "The index " + name + " is invalid: it costs writes and helps no search",
              "REINDEX INDEX CONCURRENTLY " + name));
    } else if ("t".equals(row.get(2))) {
      findings.add(
          Finding.warning(
              "The index "
                  + name
                  + " takes "
                  + row.get(3)
                  + ", over three times what its rows need",
              "REINDEX INDEX CONCURRENTLY " + name));
    }
  }

  private void pendingLists(List<Finding> findings) {
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

  private void memory(List<Finding> findings) {
    List<@Nullable String> row =
        session.row("look at the memory for builds", values(MEMORY, List.of(memories)));
    long memory = number(row.get(0));
    long rows = number(row.get(1));
    long graph = HnswGraph.bytes(options, rows);
    if (graph > memory) {
      String needed = (graph >> 20) + 1 + "MB";
      findings.add(
          Finding.note(
              "The HNSW graph of "
                  + rows
                  + " embeddings takes about "
                  + needed
                  + ", more than maintenance_work_mem: building it anew would be slow",
              "SET maintenance_work_mem = '" + needed + "' before a REINDEX"));
    }
  }

  private static long number(@Nullable String value) {
    return value == null ? 0 : Long.parseLong(value);
  }
}
