package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.ConsolidatedMemory;
import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.FusedQuery;
import io.agentmemory.consolidation.dao.LoadOptions;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.Sources;
import io.agentmemory.consolidation.dao.TextQuery;
import io.agentmemory.consolidation.dao.TriggerType;
import io.agentmemory.consolidation.dao.VectorQuery;
import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.it.postgres.PgBouncer;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaException;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Through PgBouncer in transaction mode, where every transaction may have another session. */
class PgBouncerTest {
  private static final SchemaOptions OPTIONS = SchemaOptions.builder().dimensions(3).build();
  private static final int CLIENTS = 8;

  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();
  private PgBouncer bouncer;
  private DataSource pooled;

  @BeforeEach
  void start() throws Exception {
    assumeTrue(
        PgBouncer.program().isPresent(),
        "no pgbouncer on this machine (Debian and Ubuntu: the package pgbouncer)");
    bouncer = PgBouncer.start(database.get());
    pooled = bouncer.dataSource();
  }

  @AfterEach
  void stop() throws Exception {
    if (bouncer != null) {
      bouncer.close();
    }
  }

  @Test
  void upgradesAndDowngrades() {
    Sql.run(database.dataSource(), "CREATE EXTENSION vector");
    String before = database.dumpSchema();
    Schema schema = Schema.on(pooled, OPTIONS);
    assertThat(schema.upgrade().applied()).contains("consolidation_001");
    assertThat(schema.upgrade().applied()).isEmpty();
    assertThat(schema.verify()).isEmpty();
    assertThat(schema.status().upToDate()).isTrue();
    schema.downgradeToNothing();
    assertThat(database.dumpSchema()).isEqualTo(before);
  }

  @Test
  void buildsIndexesOnlineByDirectConnectionsAndRefusesWithoutThem() {
    Sql.run(
        database.dataSource(),
        """
        CREATE EXTENSION vector;
        CREATE TABLE task_memories (id text PRIMARY KEY, body text);
        INSERT INTO task_memories SELECT i::text, repeat('x', 200) FROM generate_series(1, 1000) i;
        """);
    String before = database.dumpSchema();
    Schema schema = Schema.on(pooled, OPTIONS).withLargeTablesFrom(1 << 16);
    assertThatExceptionOfType(SchemaException.class)
        .isThrownBy(schema::upgrade)
        .withMessageContaining("this connection goes through a pooler")
        .withMessageContaining("Schema.withDirectConnections");
    assertThat(database.dumpSchema()).isEqualTo(before);
    assertThat(schema.withDirectConnections(database.dataSource()).upgrade().built()).hasSize(3);
    assertThat(schema.verify()).isEmpty();
  }

  @Test
  void servesTheDataAccessToMoreClientsThanItHasConnections() throws Exception {
    Schema.on(pooled, OPTIONS).upgrade();
    Consolidation consolidation = Consolidation.on(pooled, OPTIONS);
    ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
    try {
      List<Future<?>> ends = new ArrayList<>();
      for (int i = 0; i < CLIENTS; i++) {
        String project = "p" + i;
        ends.add(clients.submit(() -> work(consolidation, project)));
      }
      for (Future<?> end : ends) {
        end.get(60, TimeUnit.SECONDS);
      }
    } finally {
      clients.shutdownNow();
    }
  }

  private static void work(Consolidation consolidation, String project) {
    ConsolidatedMemoryDao memories = consolidation.memories();
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      ids.add(memories.insert(memory(project, i)).id());
    }
    memories.load(
        List.of(memory(project, 20), memory(project, 21)).iterator(), LoadOptions.defaults());
    for (int i = 0; i < 20; i++) {
      Embedding query = Embedding.of(new float[] {1, i, 1});
      assertThat(memories.searchByVector(project, VectorQuery.of(query, 5)).hits())
          .hasSize(5)
          .allMatch(hit -> hit.memory().projectId().equals(project));
      assertThat(memories.searchByText(project, TextQuery.of("lesson", 5)).hits()).hasSize(5);
      assertThat(memories.searchFused(project, FusedQuery.of("lesson", query, 5)).hits())
          .hasSize(5);
    }
    ConsolidatedMemory made =
        consolidation.consolidate(memory(project, 22), Sources.ofMemories(ids.subList(0, 3)));
    assertThat(memories.find(project, made.id())).isPresent();
    consolidation.jobs().enqueue(NewJob.builder(project, TriggerType.MANUAL).build());
    assertThat(consolidation.jobs().claim(project)).isPresent();
  }

  private static NewMemory memory(String project, int number) {
    return NewMemory.builder(
            project, MemoryType.LEARNING, AbstractionLevel.CONCRETE, "lesson number " + number)
        .embedding(Embedding.of(new float[] {1, number, 0.5f}))
        .build();
  }
}
