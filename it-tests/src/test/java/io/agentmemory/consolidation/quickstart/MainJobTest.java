package io.agentmemory.consolidation.quickstart;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationJob;
import io.agentmemory.consolidation.dao.JobStatus;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.dao.TriggerType;
import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class MainJobTest {
  @RegisterExtension final EmptyDatabase database = new EmptyDatabase();

  private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

  @Test
  void theIncludedMemoriesAreConsolidatedAndFoundAndASecondRunGoesOnFromThere() throws Exception {
    List<AgentMemory> memories = MemoryFile.included();

    MainJob.Outcome first = run(memories, Question.included());

    assertThat(first.stored()).isEqualTo(memories.size());
    assertThat(first.projects())
        .hasSize(3)
        .allSatisfy(
            project -> {
              assertThat(project.made()).hasSizeBetween(5, 12);
              assertThat(project.left()).isBetween(3, 15);
              assertThat(project.job().status()).isEqualTo(JobStatus.COMPLETED);
              assertThat(project.job().phasesCompleted())
                  .containsExactly("cluster", "embed", "consolidate");
              assertThat(project.job().metrics())
                  .contains("\"consolidated\": " + project.consolidated())
                  .contains("\"memories\": " + project.made().size());
            });
    assertThat(best(first, 0)).contains("HikariCP pool");
    assertThat(best(first, 1)).contains("idempotency keys move from Redis into PostgreSQL");
    assertThat(best(first, 2)).contains("doubled");
    assertThat(best(first, 3)).contains("Playwright");
    assertThat(text()).contains("are in the table already and 103 are new").contains("┌──");

    MainJob.Outcome second = run(memories, Question.included());

    assertThat(second.stored()).isZero();
    assertThat(second.found()).isEqualTo(memories.size());
    assertThat(second.projects()).allMatch(project -> project.made().isEmpty());
    assertThat(second.projects()).extracting(ProjectReport::notes).isEqualTo(left(first));
    assertThat(best(second, 0)).isEqualTo(best(first, 0));
    assertThat(text()).contains("Nothing new to consolidate");
    for (ProjectReport project : first.projects()) {
      assertThat(
              consolidation()
                  .memories()
                  .list(project.projectId(), MemoryFilter.none(), PageRequest.first(100))
                  .items())
          .hasSameSizeAs(project.made());
    }
  }

  @Test
  void aRunThatWasInterruptedIsCancelledAndAJobThatWaitsIsDone() throws Exception {
    List<AgentMemory> memories = MemoryFile.included().subList(0, 5);
    run(memories, List.of());
    String project = memories.get(0).projectId();
    ConsolidationJob abandoned = enqueue(project);
    consolidation().jobs().claim(project);
    ConsolidationJob waiting = enqueue(project);

    MainJob.Outcome outcome = run(memories, List.of());

    assertThat(consolidation().jobs().find(project, abandoned.id()))
        .map(ConsolidationJob::status)
        .contains(JobStatus.CANCELLED);
    assertThat(outcome.projects()).extracting(report -> report.job().id()).contains(waiting.id());
  }

  private MainJob.Outcome run(List<AgentMemory> memories, List<Question> questions)
      throws Exception {
    printed.reset();
    try (PrintStream out = new PrintStream(printed, true, UTF_8)) {
      return new MainJob(database.dataSource(), 0.45, Screen.of(out), new Timings())
          .run(memories, questions);
    }
  }

  private ConsolidationJob enqueue(String project) {
    return consolidation().jobs().enqueue(NewJob.builder(project, TriggerType.MANUAL).build());
  }

  private Consolidation consolidation() {
    return Consolidation.on(database.dataSource(), MainJob.OPTIONS);
  }

  private String text() {
    return printed.toString(UTF_8);
  }

  private static String best(MainJob.Outcome outcome, int question) {
    return outcome.answers().get(question).fused().get(0).memory().content();
  }

  private static List<Integer> left(MainJob.Outcome outcome) {
    return outcome.projects().stream().map(ProjectReport::left).toList();
  }
}
