package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.agentmemory.consolidation.it.postgres.PostgresServer;
import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import io.agentmemory.consolidation.schema.BulkLoad;
import io.agentmemory.consolidation.schema.BulkLoadResult;
import io.agentmemory.consolidation.schema.IndexBuilds;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Builds in parallel, where the server's processes cannot share as much memory as those take. */
class SharedMemoryTest {
  private static final Logger LOG = LoggerFactory.getLogger(SharedMemoryTest.class);
  private static final SchemaOptions OPTIONS = SchemaOptions.builder().dimensions(3).build();

  private static final String ROWS =
      """
      INSERT INTO consolidated_memories (id, project_id, content, memory_type, abstraction_level,
        source_memory_ids, embedding, created_at, updated_at, consolidated_at, source_count)
      SELECT '%1$s' || i, 'p', 'text', 'decision', 1, '{}',
        ARRAY[random(), random(), random()]::vector, now(), now(), now(), 0
      FROM generate_series(1, 4000) AS i
      """;

  /** What a container has unless told otherwise, in MB. */
  private static final int OF_A_CONTAINER = 64;

  /** The table says how many workers it takes, for one so small takes none of itself. */
  @Test
  void doWithoutWorkers() {
    Optional<PostgresServer> found = PostgresServer.withSharedMemory(OF_A_CONTAINER, LOG::info);
    assumeTrue(found.isPresent(), "no server with little shared memory can be had here");
    try (PostgresServer server = found.get();
        ScratchDatabase database = server.freshDatabase("sharedmemory")) {
      Schema schema = Schema.on(database.dataSource(), OPTIONS).withBuildWorkers(2);
      schema.upgrade();
      Sql.run(
          database.dataSource(), "ALTER TABLE consolidated_memories SET (parallel_workers = 2)");
      builtAlone(database, schema.bulkLoad(load(database, "a")));
      Schema online = schema.withIndexBuilds(IndexBuilds.ONLINE);
      builtAlone(database, online.bulkLoad(load(database, "b")));
      assertThat(schema.verify()).isEmpty();
      assertThat(schema.status().upToDate()).isTrue();
    }
  }

  private static BulkLoad<RuntimeException> load(ScratchDatabase database, String prefix) {
    return () -> Sql.run(database.dataSource(), ROWS.formatted(prefix));
  }

  private static void builtAlone(ScratchDatabase database, BulkLoadResult result) {
    assertThat(result.built()).hasSize(2);
    assertThat(result.notes())
        .hasSize(2)
        .allMatch(note -> note.contains("was built without parallel workers"))
        .allMatch(note -> note.contains("53100"));
    assertThat(Sql.rows(database.dataSource(), "SELECT 1 FROM pg_index WHERE NOT indisvalid"))
        .isEmpty();
  }
}
