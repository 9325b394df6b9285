package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.InvalidInputException;
import io.agentmemory.consolidation.dao.ProjectSize;
import io.agentmemory.consolidation.dao.RecallProbe;
import io.agentmemory.consolidation.dao.RecallReport;
import io.agentmemory.consolidation.dao.RecallRow;
import io.agentmemory.consolidation.dao.SearchStrategy;
import io.agentmemory.consolidation.schema.SchemaOptions;
import io.agentmemory.consolidation.schema.VectorType;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The probe that users run on their own data. */
class RecallProbeTest {
  @RegisterExtension static final TestDatabase database = NearbyRows.database();

  @RegisterExtension
  static final TestDatabase halves =
      TestDatabase.with(
          SchemaOptions.builder().dimensions(3).vectorType(VectorType.HALFVEC).build());

  @Test
  void projects_of_each_size_are_measured_with_each_effort() {
    RecallReport report = RecallProbe.ofAllProjects(database.consolidation()).withSample(20).run();
    assertThat(report.complete()).isTrue();
    assertThat(report.rows())
        .extracting(RecallRow::size, RecallRow::effortLabel, RecallRow::projects)
        .containsExactly(
            row(ProjectSize.UP_TO_1_000, "default", 1),
            row(ProjectSize.UP_TO_1_000, "40", 1),
            row(ProjectSize.UP_TO_1_000, "100", 1),
            row(ProjectSize.UP_TO_1_000, "250", 1),
            row(ProjectSize.UP_TO_10_000, "default", 2),
            row(ProjectSize.UP_TO_10_000, "40", 2),
            row(ProjectSize.UP_TO_10_000, "100", 2),
            row(ProjectSize.UP_TO_10_000, "250", 2));
    for (RecallRow row : report.rows()) {
      assertThat(row.searches()).isEqualTo(20 * row.projects());
      assertThat(row.rows()).isEqualTo(row.expectedRows()).isEqualTo(10);
      assertThat(row.recall()).isBetween(row.projects() == 1 ? 1 : 0.9, 1.0);
      assertThat(row.p50()).isPositive().isLessThanOrEqualTo(row.p95());
      assertThat(row.exactP50()).isPositive().isLessThanOrEqualTo(row.exactP95());
    }
    assertThat(report.rows().get(4).strategies()).contains(SearchStrategy.HNSW_BY_PROJECT);
    assertThat(report.toMarkdown().lines().limit(3))
        .satisfiesExactly(
            head -> assertThat(head).startsWith("| memories in the project").contains("recall@10"),
            line -> assertThat(line).startsWith("| --- |"),
            first -> assertThat(first).startsWith("| up to 1,000 | 1 | 20 | default | 1.000 |"));
  }

  private static org.assertj.core.groups.Tuple row(ProjectSize size, String effort, int projects) {
    return org.assertj.core.groups.Tuple.tuple(size, effort, projects);
  }

  @Test
  void a_project_that_has_fewer_memories_than_asked_for_is_complete_with_fewer() {
    RecallReport report =
        RecallProbe.ofProjects(database.consolidation(), "small", "nobody's")
            .withSample(3)
            .withLimit(1_000)
            .run();
    assertThat(report.rows()).hasSize(4);
    assertThat(report.rows())
        .allSatisfy(row -> assertThat(row.rows()).isEqualTo(row.expectedRows()).isEqualTo(299))
        .allSatisfy(row -> assertThat(row.recall()).isEqualTo(1));
  }

  @Test
  void an_index_that_is_missing_is_told_with_what_to_do() throws SQLException {
    String definition =
        database.value("select pg_get_indexdef('idx_cm_embedding_project'::regclass)");
    database.execute("drop index idx_cm_embedding_project");
    try {
      Consolidation consolidation = Consolidation.on(database.pool(), database.options());
      RecallReport report = RecallProbe.ofProjects(consolidation, "large").withSample(5).run();
      assertThat(report.advice())
          .anyMatch(
              line ->
                  line.contains(
                      "idx_cm_embedding_project is missing or invalid; Schema.checkUp()"));
    } finally {
      database.execute(definition);
    }
  }

  @Test
  void a_zero_embedding_that_others_wrote_is_left_out() throws SQLException {
    halves.execute(
        """
        insert into consolidated_memories (id, project_id, content, memory_type,
          abstraction_level, source_memory_ids, embedding, created_at, updated_at,
          consolidated_at, source_count)
        select 'm' || i, 'p', 'x', 'decision', 1, '{}', array[0, i, 0]::halfvec, now(), now(), now(), 0
        from generate_series(0, 4) as i""");
    RecallReport report = RecallProbe.ofProjects(halves.consolidation(), "p").withSample(5).run();
    assertThat(report.complete()).isTrue();
    assertThat(report.rows()).allSatisfy(row -> assertThat(row.searches()).isEqualTo(4));
  }

  @Test
  void the_deadline_ends_it_and_the_report_says_so() {
    long start = System.nanoTime();
    RecallReport report =
        RecallProbe.ofAllProjects(database.consolidation())
            .withSample(1_000)
            .withDeadline(Duration.ofMillis(300))
            .run();
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(30));
    assertThat(report.complete()).isFalse();
    assertThat(report.toString()).contains("Time ran out");
  }

  @Test
  void what_cannot_be_asked_for_is_refused() {
    RecallProbe probe = RecallProbe.ofAllProjects(database.consolidation());
    for (org.assertj.core.api.ThrowableAssert.ThrowingCallable call :
        List.<org.assertj.core.api.ThrowableAssert.ThrowingCallable>of(
            () -> probe.withSample(0),
            () -> probe.withLimit(1_001),
            () -> probe.withDeadline(Duration.ZERO),
            () -> RecallProbe.ofProjects(database.consolidation(), ""))) {
      assertThatThrownBy(call).isInstanceOf(InvalidInputException.class);
    }
  }
}
