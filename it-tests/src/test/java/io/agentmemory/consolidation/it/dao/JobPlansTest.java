package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationJob;
import io.agentmemory.consolidation.dao.ConsolidationJobDao;
import java.sql.SQLException;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * How jobs are found among 20,000 that have ended, where the table was analysed before any was
 * running.
 */
class JobPlansTest {
  @RegisterExtension
  final TestDatabase database = TestDatabase.with(TestDatabase.SMALL).withoutPool();

  @BeforeEach
  void fill() throws SQLException {
    database.execute(
        """
        insert into consolidation_jobs (id, project_id, status, trigger_type, created_at)
        select 'j' || i, 'p' || i % 10, case when i > 20000 then 'pending' else 'completed' end,
          'manual', now() - i * interval '1 minute'
        from generate_series(1, 22000) as i
        """);
    database.execute("analyze consolidation_jobs");
  }

  private String plan(Consumer<ConsolidationJobDao> call) throws SQLException {
    try (Plans plans = new Plans(database.dataSource().getConnection())) {
      call.accept(database.consolidation().joining(plans.connection()).jobs());
      return plans.take("consolidation_jobs");
    }
  }

  @Test
  void writesUnderALeaseFindTheJobByItsId() throws SQLException {
    Consolidation consolidation = database.consolidation();
    List<ConsolidationJob> running = consolidation.jobs().claimOfAllProjects(500);
    ConsolidationJob one = running.get(0);
    for (String plan :
        List.of(
            plan(jobs -> jobs.recordPhase(one.lease(), "p", "{}")),
            plan(jobs -> jobs.heartbeat(one.lease())),
            plan(jobs -> jobs.fail(one.lease(), "e")),
            plan(jobs -> jobs.complete(running.get(1).lease(), "{}")))) {
      assertThat(plan).contains("using consolidation_jobs_pkey").doesNotContain("idx_cj_running");
    }
  }

  @Test
  void claimsReadNoneThatHasEnded() throws SQLException {
    for (String plan :
        List.of(
            plan(jobs -> assertThat(jobs.claim("p1", 10)).hasSize(10)),
            plan(jobs -> assertThat(jobs.claimOfAllProjects(10)).hasSize(10)))) {
      assertThat(plan)
          .contains("using idx_cj_pending")
          .contains("consolidation_jobs_pkey")
          .doesNotContain("Seq Scan")
          .doesNotContain("Rows Removed by Filter: 2");
    }
  }

  @Test
  void aClaimThatGoesOnReadsNoMoreProjectsThanItTakesFrom() throws SQLException {
    try (Plans plans = new Plans(database.dataSource().getConnection())) {
      ConsolidationJobDao jobs = database.consolidation().joining(plans.connection()).jobs();
      assertThat(jobs.claimOfAllProjects(9)).hasSize(9);
      assertThat(plans.take("consolidation_jobs"))
          .containsPattern("Scan on walk .*actual rows=10(\\.00)? ");
      assertThat(jobs.claimOfAllProjects(9)).hasSize(9);
      assertThat(plans.take("consolidation_jobs"))
          .containsPattern("Scan on turns .*actual rows=3(\\.00)? ")
          .containsPattern("Index Cond: .*created_at\\) >= turns(_\\d)?\\.due")
          .contains("using idx_cj_pending")
          .contains("consolidation_jobs_pkey")
          .doesNotContain("Seq Scan");
    }
  }

  @Test
  void statisticsAreReadInOneScan() throws SQLException {
    assertThat(plan(jobs -> assertThat(jobs.statistics("p1").completed()).isEqualTo(2_000)))
        .containsOnlyOnce(" on consolidation_jobs")
        .contains("idx_cj_project");
  }
}
