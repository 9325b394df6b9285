package io.agentmemory.consolidation.bench;

import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.FusedQuery;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.TextQuery;
import io.agentmemory.consolidation.dao.VectorQuery;
import io.agentmemory.consolidation.dao.WordMatch;
import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import io.agentmemory.consolidation.schema.Schema;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/** How much of what answers LoCoMo's questions is among the ten best, at default settings. */
final class LocomoSection {
  private static final double TEXT = 0.62;
  private static final double FUSED = 0.69;
  private static final List<String> CATEGORIES =
      List.of("multi-hop", "temporal", "open-domain", "single-hop");

  private final Bench bench;

  LocomoSection(Bench bench) {
    this.bench = bench;
  }

  /** Sums by way of searching. */
  private static final class Tally {
    private final double[] recall = new double[3];
    private int asked;

    void add(double... recalls) {
      for (int i = 0; i < recalls.length; i++) {
        recall[i] += recalls[i];
      }
      asked++;
    }

    void row(Table table, String category) {
      Stream<Object> means =
          DoubleStream.of(recall).mapToObj(sum -> SearchSection.recall(sum / asked));
      table.row(Stream.concat(Stream.of(category, asked), means).toArray());
    }
  }

  void run() throws Exception {
    if (bench.settings().locomo().isEmpty()) {
      bench.report().skipped("LoCoMo: give the folder of its files by -Dlocomo=DIR");
      return;
    }
    Path folder = bench.settings().locomo().get();
    Locomo locomo = Locomo.read(folder);
    List<String> texts = new ArrayList<>();
    for (Locomo.Conversation conversation : locomo.conversations()) {
      conversation.turns().forEach(turn -> texts.add(turn.text()));
      conversation.questions().forEach(question -> texts.add(question.text()));
    }
    VectorCache cache = new VectorCache(bench.settings().vectors(), bench.log());
    float[][] vectors = cache.embed("locomo.txt", "locomo.f32", texts);
    Map<Integer, Tally> tallies = new TreeMap<>();
    Tally all = new Tally();
    int next = 0;
    for (Locomo.Conversation conversation : locomo.conversations()) {
      bench.log().say("LoCoMo: " + conversation.name());
      next = ask(conversation, vectors, next, tallies, all);
    }
    report(locomo, tallies, all);
  }

  private int ask(
      Locomo.Conversation conversation,
      float[][] vectors,
      int first,
      Map<Integer, Tally> tallies,
      Tally all) {
    int next = first;
    String project = conversation.name();
    try (ScratchDatabase database = bench.server().freshDatabase("locomo");
        Consolidation consolidation = Consolidation.on(database.dataSource(), OurStore.OPTIONS)) {
      Schema.on(database.dataSource(), OurStore.OPTIONS).upgrade();
      ConsolidatedMemoryDao memories = consolidation.memories();
      List<NewMemory> turns = new ArrayList<>();
      for (Locomo.Turn turn : conversation.turns()) {
        turns.add(
            NewMemory.builder(project, DataSet.COMMON, AbstractionLevel.CONCRETE, turn.text())
                .id(turn.id())
                .embedding(Embedding.of(vectors[next++]))
                .build());
      }
      memories.insertAll(turns);
      for (Locomo.Asked question : conversation.questions()) {
        Embedding embedding = Embedding.of(vectors[next++]);
        double vector =
            question.recall(
                memories
                    .searchByVector(project, VectorQuery.of(embedding, Settings.K))
                    .hits()
                    .stream()
                    .map(hit -> hit.memory().id())
                    .toList());
        double text =
            question.recall(
                memories
                    .searchByText(
                        project,
                        TextQuery.of(question.text(), Settings.K).withMatch(WordMatch.ANY_WORD))
                    .hits()
                    .stream()
                    .map(hit -> hit.memory().id())
                    .toList());
        double fused =
            question.recall(
                memories
                    .searchFused(project, FusedQuery.of(question.text(), embedding, Settings.K))
                    .hits()
                    .stream()
                    .map(hit -> hit.memory().id())
                    .toList());
        all.add(vector, text, fused);
        tallies
            .computeIfAbsent(question.category(), category -> new Tally())
            .add(vector, text, fused);
      }
    }
    return next;
  }

  private void report(Locomo locomo, Map<Integer, Tally> tallies, Tally all) {
    Report report = bench.report();
    report.text(
        "%d conversations, a project for each; recall@10 with default settings, the same for all."
            .formatted(locomo.conversations().size()));
    Table table = new Table("questions", "", "vector", "text", "fused");
    tallies.forEach((category, tally) -> tally.row(table, CATEGORIES.get(category - 1)));
    all.row(table, "all");
    report.table(table);
    double text = all.recall[1] / all.asked;
    double fused = all.recall[2] / all.asked;
    report.verdict(
        "LoCoMo: recall@10 by text", "≥ " + TEXT, SearchSection.recall(text), text >= TEXT);
    report.verdict(
        "LoCoMo: recall@10 fused", "≥ " + FUSED, SearchSection.recall(fused), fused >= FUSED);
  }
}
