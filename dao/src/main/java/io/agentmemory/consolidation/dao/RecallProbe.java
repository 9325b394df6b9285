package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.schema.SchemaState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Measures on an application's own data how many of the truly nearest memories searches by vector
 * find, and how long they take: stored embeddings are searched for, once comparing every memory and
 * once with each effort, by {@link ConsolidatedMemoryDao#searchByVector} as an application calls
 * it. The memory that an embedding is from is left out on both sides.
 *
 * <p>It only reads, takes as much of the server as one client that searches without a pause, and
 * leaves no setting behind. Questions of users are farther from what is stored than this sample, so
 * that their recall can be a little lower. Immutable and thread-safe.
 *
 * <pre>{@code
 * System.out.println(RecallProbe.ofAllProjects(consolidation).run().toMarkdown());
 * }</pre>
 */
public final class RecallProbe {
  private static final int SAMPLE = 50;
  private static final int LIMIT = 10;
  private static final Duration DEADLINE = Duration.ofMinutes(1);

  private final Consolidation consolidation;
  private final Database database;

  /** The projects; null for some of all. */
  private final @Nullable List<String> projects;

  private final int sample;
  private final int limit;
  private final Duration deadline;

  private RecallProbe(
      Consolidation consolidation,
      @Nullable List<String> projects,
      int sample,
      int limit,
      Duration deadline) {
    this.consolidation = consolidation;
    this.database = consolidation.database();
    this.projects = projects;
    this.sample = sample;
    this.limit = limit;
    this.deadline = deadline;
  }

  /**
   * Probes at most three projects of each {@link ProjectSize}, fifty memories of each, ten
   * neighbours of each memory, for a minute at most.
   *
   * @param consolidation the database
   * @return the probe
   * @throws InvalidInputException where row-level security is on, which shows no memories of all
   *     projects
   */
  public static RecallProbe ofAllProjects(Consolidation consolidation) {
    if (Checks.notNull("consolidation", consolidation).database().options().rowLevelSecurity()) {
      throw new InvalidInputException(
          "with row-level security nobody sees the memories of all projects: name them by"
              + " RecallProbe.ofProjects");
    }
    return new RecallProbe(consolidation, null, SAMPLE, LIMIT, DEADLINE);
  }

  /**
   * Probes these projects, fifty memories of each, ten neighbours of each memory, for a minute at
   * most.
   *
   * @param consolidation the database
   * @param projectIds the projects
   * @return the probe
   */
  public static RecallProbe ofProjects(Consolidation consolidation, String... projectIds) {
    return new RecallProbe(
        Checks.notNull("consolidation", consolidation),
        Checks.ids("projectIds", Checks.list("projectIds", projectIds)),
        SAMPLE,
        LIMIT,
        DEADLINE);
  }

  /**
   * The same with more or fewer memories of each project.
   *
   * @param sample how many, from 1 to 1,000
   * @return another probe
   */
  public RecallProbe withSample(int sample) {
    Checks.between("sample", sample, 1, 1_000);
    return new RecallProbe(consolidation, projects, sample, limit, deadline);
  }

  /**
   * The same searching for more or fewer neighbours.
   *
   * @param limit how many, from 1 to 1,000
   * @return another probe
   */
  public RecallProbe withLimit(int limit) {
    Checks.between("limit", limit, 1, 1_000);
    return new RecallProbe(consolidation, projects, sample, limit, deadline);
  }

  /**
   * The same with more or less time. What was measured when it is over is told.
   *
   * @param deadline how long to go on, more than nothing
   * @return another probe
   */
  public RecallProbe withDeadline(Duration deadline) {
    Checks.positive("deadline", deadline);
    return new RecallProbe(consolidation, projects, sample, limit, deadline);
  }

  /**
   * Measures.
   *
   * @return the figures, and what to change
   * @throws DatabaseException if a search fails for another reason than that the time is over
   */
  public RecallReport run() {
    SchemaState state = database.read("recall.state", database::state);
    RecallSearches searches = new RecallSearches(consolidation, limit, deadline);
    Map<ProjectSize, RecallTally> tallies = new EnumMap<>(ProjectSize.class);
    boolean complete = true;
    try {
      for (RecallSearches.Project project : searches.projects(projects)) {
        RecallTally tally =
            tallies.computeIfAbsent(
                ProjectSize.of(project.memories()), size -> new RecallTally(limit));
        tally.nextProject();
        for (ConsolidatedMemory memory : searches.sample(project, sample)) {
          searches.measure(memory, tally);
        }
      }
    } catch (DatabaseException e) {
      if (!Failures.QUERY_CANCELED.equals(e.sqlState()) || !searches.isOver()) {
        throw e;
      }
      complete = false;
    }
    List<RecallRow> rows = new ArrayList<>();
    tallies.forEach((size, tally) -> rows.addAll(tally.rows(size)));
    List<String> advice = new RecallAdvice(rows, state, database.options()).lines();
    return new RecallReport(limit, rows, advice, complete);
  }
}
