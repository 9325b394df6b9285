package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.SearchResult;
import io.agentmemory.consolidation.dao.SearchStrategy;
import io.agentmemory.consolidation.dao.TextQuery;
import io.agentmemory.consolidation.dao.VectorHit;
import io.agentmemory.consolidation.dao.VectorQuery;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Which indexes an application's role gets with row-level security on: 24,000 memories, 8,000 of
 * them of the project {@code large} and 800 of {@code small}, and 20,000 jobs of which 39 are
 * pending.
 */
class RowLevelSecurityPlansTest {
  private static final int DIMENSIONS = 16;
  private static final SchemaOptions OPTIONS =
      SchemaOptions.builder().dimensions(DIMENSIONS).rowLevelSecurity(true).build();

  @RegisterExtension static final TestDatabase database = TestDatabase.with(OPTIONS);

  private static String role;

  @BeforeAll
  static void fill() throws SQLException {
    role = database.value("select current_database()") + "_app";
    database.execute("create role " + role);
    database.execute(Schema.grantsScript(OPTIONS, role));
    database.fillWithoutHnsw(
        """
        select setseed(0.5);
        insert into consolidated_memories (id, project_id, content, memory_type,
          abstraction_level, source_memory_ids, embedding, tags, created_at, updated_at,
          consolidated_at, source_count)
        select 'm' || i,
          case when i <= 800 then 'small' when i <= 8800 then 'large' else 'other' || i %% 40 end,
          'word' || i %% 997, 'decision', 1, '{}',
          array(select random() - 0.5 from generate_series(1, %d) where i > 0)::vector,
          array['t' || i %% 499], now(), now(), now(), 0
        from generate_series(1, 24000) as i;
        insert into consolidation_jobs (id, project_id, status, trigger_type, created_at)
        select 'j' || i, 'p' || i %% 20, case when i %% 501 = 0 then 'pending' else 'completed' end,
          'manual', now() - i * interval '1 second'
        from generate_series(1, 20000) as i;
        """
            .formatted(DIMENSIONS));
    database.execute("vacuum analyze consolidation_jobs");
  }

  @AfterAll
  static void dropTheRole() throws SQLException {
    database.execute("drop owned by " + role);
    database.execute("drop role " + role);
  }

  private static String plan(String table, Consumer<Consolidation> call) throws SQLException {
    try (Connection connection = database.connect("");
        Plans plans = new Plans(connection);
        Statement statement = connection.createStatement()) {
      statement.execute("set role " + role);
      connection.setAutoCommit(false);
      call.accept(database.consolidation().joining(plans.connection()));
      connection.rollback();
      return plans.take(table);
    }
  }

  private static SearchResult<VectorHit> search(Consolidation consolidation, String project) {
    return consolidation
        .memories()
        .searchByVector(project, VectorQuery.of(Samples.embedding(DIMENSIONS, 7), 10));
  }

  @Test
  void a_large_project_is_searched_by_its_index_the_first_time_and_when_it_is_known()
      throws SQLException {
    for (int i = 0; i < 2; i++) {
      String plan =
          plan(
              "consolidated_memories",
              c ->
                  assertThat(search(c, "large").strategy())
                      .isEqualTo(SearchStrategy.HNSW_BY_PROJECT));
      assertThat(plan)
          .containsPattern("Index Scan using idx_cm_embedding_project .*actual rows=1")
          .contains("One-Time Filter")
          .doesNotContain("Seq Scan on consolidated_memories");
    }
  }

  @Test
  void a_small_project_is_compared_by_the_covering_index() throws SQLException {
    String plan =
        plan(
            "consolidated_memories",
            c -> assertThat(search(c, "small").strategy()).isEqualTo(SearchStrategy.EXACT));
    assertThat(plan)
        .containsPattern("Index Only Scan using idx_cm_project_cover .*actual rows=800")
        .doesNotContain("Seq Scan on consolidated_memories");
  }

  private static List<VectorHit> nearest(Consolidation c, int limit, MemoryFilter filter) {
    VectorQuery query = VectorQuery.of(Samples.embedding(DIMENSIONS, 7), limit);
    return c.memories().searchByVector("large", query.withFilter(filter)).hits();
  }

  @Test
  void words_and_tags_are_looked_for_among_the_rows_of_the_project() throws SQLException {
    String words =
        plan(
            "consolidated_memories",
            c ->
                assertThat(c.memories().searchByText("large", TextQuery.of("word7", 10)).hits())
                    .isNotEmpty());
    assertThat(words)
        .doesNotContain("idx_cm_content_tsv")
        .doesNotContain("Seq Scan on consolidated_memories");
    MemoryFilter tagged = MemoryFilter.none().anyTag(List.of("t7"));
    String tags =
        plan("consolidated_memories", c -> assertThat(nearest(c, 10, tagged)).hasSize(10));
    assertThat(tags)
        .containsPattern("Index Scan using idx_cm_embedding_project .*actual rows=10")
        .doesNotContain("idx_cm_tags")
        .doesNotContain("Seq Scan on consolidated_memories");
  }

  @Test
  void all_rows_of_a_filter_that_hardly_any_passes_are_found() throws SQLException {
    for (MemoryFilter filter :
        List.of(
            MemoryFilter.none().anyTag(List.of("t7")),
            MemoryFilter.none().allTags(List.of("t7")).from(Instant.EPOCH))) {
      plan("consolidated_memories", c -> assertThat(nearest(c, 100, filter)).hasSize(16));
    }
  }

  @Test
  void a_job_is_claimed_by_the_index_of_those_that_wait() throws SQLException {
    String plan = plan("consolidation_jobs", c -> assertThat(c.jobs().claim("p0")).isPresent());
    assertThat(plan).contains("idx_cj_pending").doesNotContain("Seq Scan");
  }
}
