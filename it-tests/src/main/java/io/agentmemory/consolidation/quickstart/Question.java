package io.agentmemory.consolidation.quickstart;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Something that a person or an agent wants to know before a task in a project. */
record Question(String projectId, String text) {

  /** Questions that the included memories answer. */
  static List<Question> included() {
    return List.of(
        new Question("payments-service", "Why does checkout wait for a database connection?"),
        new Question("payments-service", "Where should idempotency keys be stored?"),
        new Question("sensor-pipeline", "Is it safe to run a backfill twice?"),
        new Question("storefront-web", "How do I make a flaky browser test stable?"));
  }

  /**
   * A question to each project; without one the goal of its last memory stands for the next task.
   */
  static List<Question> of(List<AgentMemory> memories, @Nullable String text) {
    Map<String, AgentMemory> last = new TreeMap<>();
    memories.forEach(memory -> last.put(memory.projectId(), memory));
    List<Question> questions = new ArrayList<>();
    last.forEach((projectId, memory) -> questions.add(new Question(projectId, text(memory, text))));
    return questions;
  }

  private static String text(AgentMemory memory, @Nullable String text) {
    if (text != null) {
      return text;
    }
    return memory.goal() != null ? memory.goal() : Words.sentences(memory.summary()).get(0);
  }
}
