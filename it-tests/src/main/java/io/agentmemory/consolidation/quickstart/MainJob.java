package io.agentmemory.consolidation.quickstart;

import io.agentmemory.consolidation.dao.ConsolidatedMemory;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaOptions;
import io.agentmemory.consolidation.schema.UpgradeResult;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import javax.sql.DataSource;

/** Everything that the library is for, from a list of task memories to answered questions. */
final class MainJob {
  /** Apart from everything else that may be in the database. */
  static final SchemaOptions OPTIONS =
      SchemaOptions.builder()
          .schema("consolidation_quickstart")
          .dimensions(Embedder.DIMENSIONS)
          .build();

  private final DataSource dataSource;
  private final double similarity;
  private final Screen screen;
  private final Timings timings;

  /** What was done. */
  record Outcome(int stored, int found, List<ProjectReport> projects, List<Answer> answers) {}

  MainJob(DataSource dataSource, double similarity, Screen screen, Timings timings) {
    this.dataSource = dataSource;
    this.similarity = similarity;
    this.screen = screen;
    this.timings = timings;
  }

  Outcome run(List<AgentMemory> memories, List<Question> questions) throws SQLException {
    screen.heading("1. The schema");
    Schema schema = Schema.on(dataSource, OPTIONS);
    UpgradeResult upgrade = timings.time("upgrade the schema", schema::upgrade);
    screen.say(
        upgrade.applied().isEmpty()
            ? "The schema %s is up to date.".formatted(OPTIONS.schema())
            : "Upgraded the schema %s: %s"
                .formatted(OPTIONS.schema(), String.join(", ", upgrade.applied())));
    upgrade.notes().forEach(screen::say);
    upgrade.warnings().forEach(warning -> screen.say("Warning: " + warning));

    screen.heading("2. Task memories");
    Embedder embedder = timings.time("load the model", () -> new Embedder(screen));
    int stored = store(memories, embedder);

    screen.heading("3. Consolidation");
    Set<String> projectIds = new TreeSet<>();
    memories.forEach(memory -> projectIds.add(memory.projectId()));
    Consolidation consolidation = Consolidation.on(dataSource, OPTIONS);
    List<ProjectReport> projects = new ArrayList<>();
    for (String projectId : projectIds) {
      projects.add(
          new ProjectRun(dataSource, consolidation, embedder, similarity, timings, projectId)
              .run());
    }
    print(projects);

    screen.heading("4. Questions");
    List<Answer> answers = new ArrayList<>();
    for (Question question : questions) {
      Embedding embedding =
          timings.time("embed the questions", () -> embedder.embed(question.text()));
      answers.add(
          timings.time(
              "search (3 searches a question)",
              () -> Answer.to(question, embedding, consolidation.memories())));
    }
    screen.say(
        "The best three of each search: rank, then cosine similarity, score of the words, score of"
            + " both.");
    answers.forEach(answer -> answer.print(screen));

    screen.heading("5. How long it took");
    screen.table(
        timings.steps().entrySet(),
        List.of(
            screen.text("step", 40, Map.Entry::getKey),
            screen.number("ms", entry -> millis(entry.getValue()))));
    return new Outcome(stored, memories.size() - stored, projects, answers);
  }

  /** Stores the memories that are not in the table yet, and embeds only those. */
  private int store(List<AgentMemory> memories, Embedder embedder) throws SQLException {
    TaskMemoryTable table = new TaskMemoryTable(dataSource, OPTIONS);
    Set<String> known = table.stored(memories);
    List<AgentMemory> fresh =
        memories.stream().filter(memory -> !known.contains(memory.id())).toList();
    screen.say(
        "%d given, of which %d are in the table already and %d are new."
            .formatted(memories.size(), memories.size() - fresh.size(), fresh.size()));
    if (!fresh.isEmpty()) {
      List<String> texts = fresh.stream().map(AgentMemory::summary).toList();
      List<Embedding> embeddings =
          timings.time("embed the task memories", () -> embedder.embed("Embedding", texts));
      timings.time(
          "store the task memories",
          () -> {
            table.insert(fresh, embeddings);
            return fresh.size();
          });
      screen.say("Embedded with %s, %d dimensions.".formatted(Embedder.NAME, Embedder.DIMENSIONS));
    }
    return fresh.size();
  }

  private void print(List<ProjectReport> projects) {
    screen.table(
        projects,
        List.of(
            screen.text("project", 40, ProjectReport::projectId),
            screen.number("to do", project -> Integer.toString(project.notes())),
            screen.number("consolidated", project -> Integer.toString(project.consolidated())),
            screen.number("into", project -> Integer.toString(project.made().size())),
            screen.number("left", project -> Integer.toString(project.left())),
            screen.text("job", 12, project -> project.job().status().value()),
            screen.text(
                "phases", 40, project -> String.join(", ", project.job().phasesCompleted()))));
    List<ConsolidatedMemory> made =
        projects.stream().flatMap(project -> project.made().stream()).toList();
    if (made.isEmpty()) {
      screen.say("Nothing new to consolidate: what is left has nothing like it in its project.");
      return;
    }
    screen.table(
        made,
        List.of(
            screen.number("from", memory -> Integer.toString(memory.sourceCount())),
            screen.text("type", 20, memory -> memory.type().value()),
            screen.text("tags", 36, memory -> String.join(", ", memory.tags())),
            screen.text("memory", 58, memory -> memory.content().lines().findFirst().orElse(""))));
    screen.say(
        "Each of these quotes the memory nearest to all others of its group, and from the others what"
            + " they add.\nIt stands in for the application's language model, which would write a text"
            + " of its own.");
  }

  private static String millis(Duration duration) {
    return "%,d".formatted(duration.toMillis());
  }
}
