package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Identifiers;
import io.agentmemory.consolidation.ddl.Index;
import io.agentmemory.consolidation.ddl.IndexMethod;
import io.agentmemory.consolidation.ddl.QualifiedName;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Gives a session as much memory and as many workers as the graph of an HNSW index takes. A
 * parallel build takes all of its memory at once, so more than that would not be better.
 */
final class BuildSizing {
  /** Below so many rows another worker costs more than it brings. */
  private static final long ROWS_FOR_WORKER = 2_000;

  /** Each process of a parallel build must have so much of the memory, or the server takes none. */
  private static final long MEMORY_FOR_PROCESS = 32L << 20;

  /**
   * What a server says that cannot share so much memory between processes: by its file system for
   * that ({@code /dev/shm}), which is full like a disk, or by itself.
   */
  private static final Set<String> NO_ROOM = Set.of("53100", "53200");

  private final SchemaOptions options;
  private final Session session;
  private final long memoryAllowed;
  private final long workersAllowed;
  private long workers;

  private BuildSizing(
      SchemaOptions options, Session session, long memoryAllowed, long workersAllowed) {
    this.options = options;
    this.session = session;
    this.memoryAllowed = memoryAllowed;
    this.workersAllowed = workersAllowed;
    this.workers = workersAllowed;
  }

  static BuildSizing of(Session session, SchemaOptions options, BuildResources resources) {
    List<@Nullable String> row =
        session.row(
            "see what builds may take",
            """
            SELECT pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')),
              pg_catalog.current_setting('max_parallel_maintenance_workers')
            """);
    Integer workers = resources.workers();
    return new BuildSizing(
        options,
        session,
        Math.max(resources.memory(), number(row.get(0))),
        workers == null ? number(row.get(1)) : workers);
  }

  /**
   * Sets the session's memory and workers for the next build.
   *
   * @return what a person should know of it
   */
  Optional<String> prepare(Index index) {
    if (index.method() != IndexMethod.HNSW) {
      return Optional.empty();
    }
    long rows = rows(index);
    long graph = HnswGraph.bytes(options, index, rows);
    workers = Math.min(workersAllowed, rows / ROWS_FOR_WORKER);
    long wanted = Math.max(graph, MEMORY_FOR_PROCESS * (workers + 1));
    set(Math.min(wanted, memoryAllowed));
    return graph <= memoryAllowed
        ? Optional.empty()
        : Optional.of(
            ("The graph of index %s takes about %d MB for %d rows, more than the %d MB allowed, so"
                    + " that building it was slow. Allow more by Schema.withBuildMemory")
                .formatted(index.qualifiedName(), mb(graph), rows, mb(memoryAllowed)));
  }

  /** Where a policy hides rows from the session, as many as a sample of the table tells. */
  private long rows(Index index) {
    String table = index.table().sql();
    String regclass = Identifiers.literal(table) + "::pg_catalog.regclass";
    if (session.holds(
        "see whether rows are hidden", "pg_catalog.row_security_active(" + regclass + ")")) {
      session.execute("analyse table " + index.table().name(), "ANALYZE " + table);
      return number(
          session.value(
              "look up the rows of table " + index.table().name(),
              "SELECT reltuples::bigint FROM pg_class WHERE oid = " + regclass));
    }
    return number(
        session.value(
            "count the rows of index " + index.name(),
            "SELECT count(*) FROM "
                + table
                + (index.where() == null ? "" : " WHERE " + index.where())));
  }

  /**
   * Where a build failed for want of memory that its workers share, has the next one do without.
   *
   * @return what a person should know of it; empty where there is nothing to try
   */
  Optional<String> withoutWorkers(QualifiedName index, SchemaSqlException failure) {
    if (workers == 0 || failure.sqlState() == null || !NO_ROOM.contains(failure.sqlState())) {
      return Optional.empty();
    }
    workers = 0;
    session.value(
        "set the workers of a build",
        "SELECT pg_catalog.set_config('max_parallel_maintenance_workers', '0', false)");
    return Optional.of(
        "Index "
            + index
            + " was built without parallel workers, since the server could not share enough memory"
            + " between them (in a container: its shm_size): "
            + failure.getMessage());
  }

  private void set(long memory) {
    session.row(
        "set the memory and the workers of a build",
        """
        SELECT pg_catalog.set_config('maintenance_work_mem', '%dkB', false),
          pg_catalog.set_config('max_parallel_maintenance_workers', '%d', false)
        """
            .formatted(memory >> 10, workers));
  }

  private static long mb(long bytes) {
    return (bytes + (1L << 20) - 1) >> 20;
  }

  private static long number(@Nullable String value) {
    return value == null ? 0 : Long.parseLong(value);
  }
}
