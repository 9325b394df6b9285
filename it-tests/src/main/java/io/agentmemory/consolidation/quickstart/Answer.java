package io.agentmemory.consolidation.quickstart;

import io.agentmemory.consolidation.dao.ConsolidatedMemory;
import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.FusedHit;
import io.agentmemory.consolidation.dao.FusedQuery;
import io.agentmemory.consolidation.dao.TextHit;
import io.agentmemory.consolidation.dao.TextQuery;
import io.agentmemory.consolidation.dao.VectorHit;
import io.agentmemory.consolidation.dao.VectorQuery;
import io.agentmemory.consolidation.dao.WordMatch;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;

/** What the three searches find for a question. */
record Answer(
    Question question, List<VectorHit> byVector, List<TextHit> byText, List<FusedHit> fused) {
  private static final int LIMIT = 3;

  static Answer to(Question question, Embedding embedding, ConsolidatedMemoryDao memories) {
    String project = question.projectId();
    String text = question.text();
    return new Answer(
        question,
        memories.searchByVector(project, VectorQuery.of(embedding, LIMIT)).hits(),
        memories
            .searchByText(project, TextQuery.of(text, LIMIT).withMatch(WordMatch.ANY_WORD))
            .hits(),
        memories.searchFused(project, FusedQuery.of(text, embedding, LIMIT)).hits());
  }

  /** A table with a row for each memory found, and the best one in full. */
  void print(Screen screen) {
    screen.say("");
    screen.say("%s: %s".formatted(question.projectId(), question.text()));
    List<ConsolidatedMemory> found = found();
    if (found.isEmpty()) {
      screen.say("  nothing found");
      return;
    }
    screen.table(
        found,
        List.of(
            screen.text("by vector", 12, cell(byVector, VectorHit::memory, VectorHit::similarity)),
            screen.text("by text", 12, cell(byText, TextHit::memory, TextHit::score)),
            screen.text("fused", 12, cell(fused, FusedHit::memory, FusedHit::score)),
            screen.number("from", memory -> Integer.toString(memory.sourceCount())),
            screen.text("memory", 60, memory -> memory.content().lines().findFirst().orElse(""))));
    screen.quote(found.get(0).content());
  }

  /** Each memory once, in the order of the fused ranks. */
  private List<ConsolidatedMemory> found() {
    Map<String, ConsolidatedMemory> found = new LinkedHashMap<>();
    fused.forEach(hit -> found.putIfAbsent(hit.memory().id(), hit.memory()));
    byVector.forEach(hit -> found.putIfAbsent(hit.memory().id(), hit.memory()));
    byText.forEach(hit -> found.putIfAbsent(hit.memory().id(), hit.memory()));
    return List.copyOf(found.values());
  }

  private static <H> Function<ConsolidatedMemory, String> cell(
      List<H> hits, Function<H, ConsolidatedMemory> memory, Function<H, Double> score) {
    return row ->
        IntStream.range(0, hits.size())
            .filter(i -> memory.apply(hits.get(i)).id().equals(row.id()))
            .mapToObj(i -> "%d.  %.2f".formatted(i + 1, score.apply(hits.get(i))))
            .findFirst()
            .orElse("");
  }
}
