package io.agentmemory.consolidation.schema;

import static io.agentmemory.consolidation.ddl.Identifiers.literal;

import io.agentmemory.consolidation.ddl.QualifiedName;
import java.util.ArrayList;
import java.util.List;
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
    for (List<@Nullable String> row :
        session.rows("look at the tables", IndexCheckUp.values(TABLES, tables))) {
      table(row, findings);
    }
    findings.addAll(new IndexCheckUp(session, options, tables).findings());
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

  private void memory(List<Finding> findings) {
    List<@Nullable String> row =
        session.row(
            "look at the memory for builds", IndexCheckUp.values(MEMORY, List.of(memories)));
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
