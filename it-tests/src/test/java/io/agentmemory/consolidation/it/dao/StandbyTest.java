package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.agentmemory.consolidation.dao.BatchQuery;
import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationJob;
import io.agentmemory.consolidation.dao.ConsolidationJobDao;
import io.agentmemory.consolidation.dao.DatabaseException;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.FusedQuery;
import io.agentmemory.consolidation.dao.LoadOptions;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.OnLineage;
import io.agentmemory.consolidation.dao.Outcome;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.dao.PairQuery;
import io.agentmemory.consolidation.dao.SearchResult;
import io.agentmemory.consolidation.dao.SearchStrategy;
import io.agentmemory.consolidation.dao.Sources;
import io.agentmemory.consolidation.dao.TextQuery;
import io.agentmemory.consolidation.dao.TriggerType;
import io.agentmemory.consolidation.dao.VectorHit;
import io.agentmemory.consolidation.dao.VectorQuery;
import io.agentmemory.consolidation.it.postgres.PostgresServer;
import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.postgresql.ds.PGSimpleDataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A hot standby, where every read works and every write is refused by name. */
@Timeout(180)
class StandbyTest {
  private static final Logger LOG = LoggerFactory.getLogger(StandbyTest.class);
  private static final String P = "project";
  private static final int ROWS = 4_000;
  private static final PageRequest FIRST = PageRequest.first(10);

  private static DataSource standbyOf(PostgresServer server, ScratchDatabase database) {
    PGSimpleDataSource standby = new PGSimpleDataSource();
    standby.setUrl(server.standby().replaceAll("/postgres$", "/" + database.name()));
    standby.setUser(server.user());
    standby.setPassword(server.password());
    return standby;
  }

  private static NewMemory memory(int number) {
    return Samples.memory(P, "learned to number " + number)
        .id("m" + number)
        .embedding(Samples.direction(3, number / 10.0))
        .build();
  }

  @Test
  void readsWorkAndWritesAreRefused() throws SQLException {
    assumeTrue(PostgresServer.shared().canCrash(), "only a throw-away cluster can be followed");
    try (PostgresServer own = PostgresServer.find(LOG::info);
        ScratchDatabase database = own.freshDatabase("standby")) {
      Schema.on(database.dataSource(), TestDatabase.SMALL).upgrade();
      Consolidation primary = Consolidation.on(database.dataSource(), TestDatabase.SMALL);
      primary.memories().insertAll(IntStream.range(0, ROWS).mapToObj(StandbyTest::memory).toList());
      ConsolidationJob job = primary.jobs().enqueue(NewJob.builder(P, TriggerType.MANUAL).build());
      DataSource standby = standbyOf(own, database);
      schema(Schema.on(standby, TestDatabase.SMALL));
      Consolidation replica = Consolidation.on(standby, TestDatabase.SMALL);
      memories(replica.memories());
      assertThat(replica.jobs().find(P, job.id())).contains(job);
      assertThat(replica.jobs().list(P, FIRST).items()).containsExactly(job);
      assertThat(replica.jobs().statistics(P).pending()).isEqualTo(1);
      assertThat(replica.taskMemories().unconsolidated(P, FIRST).items()).isEmpty();
      for (Executable write : writes(replica, job)) {
        DatabaseException refused = assertThrows(DatabaseException.class, write);
        assertThat(refused.sqlState()).as("%s", refused).isEqualTo("25006");
        assertThat(refused.outcome()).isEqualTo(Outcome.DID_NOT_HAPPEN);
        assertThat(refused.isRetryable()).isFalse();
      }
      assertThat(primary.jobs().claim(P)).isPresent();
    }
  }

  private static void memories(ConsolidatedMemoryDao memories) {
    Embedding near = Samples.direction(3, 75.01);
    for (int i = 0; i < 10; i++) {
      SearchResult<VectorHit> found = memories.searchByVector(P, VectorQuery.of(near, 3));
      assertThat(found.strategy()).isEqualTo(SearchStrategy.HNSW_BY_PROJECT);
      assertThat(found.hits()).hasSize(3).allMatch(hit -> hit.distance() < 1e-4);
      assertThat(memories.searchByText(P, TextQuery.of("number 750", 1)).hits())
          .extracting(hit -> hit.memory().id())
          .containsExactly("m750");
      assertThat(memories.searchFused(P, FusedQuery.of("number 750", near, 1)).hits())
          .extracting(hit -> hit.memory().id())
          .containsExactly("m750");
    }
    assertThat(memories.searchByVectors(P, List.of(near, near), BatchQuery.of(3))).hasSize(2);
    assertThat(memories.neighbours(P, List.of("m1"), BatchQuery.of(3))).containsKey("m1");
    assertThat(memories.similarPairs(P, PairQuery.of(0.99), FIRST).pairs()).isNotEmpty();
    assertThat(memories.find(P, "m1")).isPresent();
    assertThat(memories.list(P, MemoryFilter.none(), FIRST).items()).hasSize(10);
    assertThat(memories.<Long>export(P, Stream::count)).isEqualTo(ROWS);
    assertThat(memories.sourcesOf(P, "m1", 3).steps()).isEmpty();
    assertThat(memories.descendantsOf(P, "m1", 3).steps()).isEmpty();
  }

  private static List<Executable> writes(Consolidation replica, ConsolidationJob job) {
    ConsolidatedMemoryDao memories = replica.memories();
    ConsolidationJobDao jobs = replica.jobs();
    NewMemory memory = memory(ROWS);
    return List.of(
        () -> memories.insert(memory),
        () -> memories.insertAll(List.of(memory)),
        () -> memories.load(List.of(memory).iterator(), LoadOptions.defaults()),
        () -> memories.countReuse(P, List.of("m1")),
        () -> memories.delete(P, "m1", OnLineage.REFUSE),
        () -> memories.deleteProject(P, 10),
        () -> replica.consolidate(memory, Sources.ofMemories("m1", "m2")),
        () -> jobs.enqueue(NewJob.builder(P, TriggerType.MANUAL).build()),
        () -> jobs.claim(P),
        () -> jobs.claimOfAllProjects(1),
        () -> jobs.rescue(P, Duration.ofHours(1), 1),
        () -> jobs.cancel(P, job.id()),
        () -> jobs.prune(P, Duration.ofDays(1), 10));
  }

  private static void schema(Schema schema) {
    assertThat(schema.upgrade().applied()).isEmpty();
    assertThat(schema.plan().statements()).isEmpty();
    assertThat(schema.planDowngrade().statements()).isNotEmpty();
    assertThatCode(schema::checkUp).doesNotThrowAnyException();
    for (Executable write : List.<Executable>of(schema::verify, schema::downgrade)) {
      assertThat(assertThrows(SchemaException.class, write))
          .hasMessageContaining("is a standby")
          .hasMessageContaining("connect to its primary");
    }
  }
}
