package io.agentmemory.consolidation.bench;

import io.agentmemory.consolidation.dao.BatchQuery;
import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.Neighbour;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.dao.PairQuery;
import io.agentmemory.consolidation.dao.SearchResult;
import io.agentmemory.consolidation.dao.SimilarPair;
import io.agentmemory.consolidation.dao.SimilarPairs;
import io.agentmemory.consolidation.dao.VectorQuery;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;

/** Many searches of one project in one round trip, and the pairs of a whole project. */
final class BatchSection {
  private static final double SIMILARITY = 0.9;

  /** How many memories the pairs are also looked for exactly. */
  private static final int CHECKED = 300;

  /** The projects that are measured: large and middling ones. */
  private static final int[] PROJECTS = {0, 3, 4};

  private final Bench bench;
  private final OurStore store;
  private final ConsolidatedMemoryDao memories;

  BatchSection(Bench bench) throws Exception {
    this.bench = bench;
    this.store = bench.inProjects();
    this.memories = store.consolidation().memories();
  }

  /** What is timed. */
  private interface Run {
    void run() throws Exception;
  }

  private static double millis(Run run) throws Exception {
    long start = System.nanoTime();
    run.run();
    return (System.nanoTime() - start) / 1e6;
  }

  void run() throws Exception {
    searches();
    pairs();
  }

  private void searches() throws Exception {
    Table table =
        new Table(
            "rows in the project",
            "searches for ten",
            "one by one, ms",
            "searchByVectors, ms",
            "neighbours, ms",
            "share of one by one",
            "recall of neighbours");
    for (int project : PROJECTS) {
      int[] rows = store.data().rows(project, false);
      int count = Math.min(rows.length, bench.settings().quick() ? 100 : 1_000);
      bench.log().say("batch: project of " + rows.length + " rows");
      String id = DataSet.projectId(project);
      List<String> ids =
          IntStream.range(0, count).mapToObj(i -> DataSet.id(rows[i]).toString()).toList();
      List<Embedding> embeddings =
          IntStream.range(0, count)
              .mapToObj(i -> Embedding.of(store.data().vector(rows[i])))
              .toList();
      BatchQuery ten = BatchQuery.of(Settings.K);
      List<Double> single = new ArrayList<>();
      List<Double> batch = new ArrayList<>();
      List<Double> neighbours = new ArrayList<>();
      for (int round = 0; round <= bench.settings().rounds(); round++) {
        double one =
            millis(
                () -> {
                  for (Embedding embedding : embeddings) {
                    memories.searchByVector(id, VectorQuery.of(embedding, Settings.K));
                  }
                });
        double all = millis(() -> memories.searchByVectors(id, embeddings, ten));
        double stored = millis(() -> memories.neighbours(id, ids, ten));
        if (round > 0) {
          single.add(one);
          batch.add(all);
          neighbours.add(stored);
        }
      }
      double share = Spread.of(neighbours).median() / Spread.of(single).median();
      table.row(
          "%,d".formatted(rows.length),
          count,
          Spread.of(single),
          Spread.of(batch),
          Spread.of(neighbours),
          share,
          recall(id, ids.subList(0, Math.min(count, 100))));
      bench
          .report()
          .verdict(
              "neighbours of %,d memories, project of %,d rows".formatted(count, rows.length),
              "≤ the time of single searches",
              Spread.number(share) + " times",
              share <= 1);
    }
    bench.report().table(table);
  }

  private double recall(String project, List<String> ids) {
    BatchQuery ten = BatchQuery.of(Settings.K);
    Map<String, SearchResult<Neighbour>> found = memories.neighbours(project, ids, ten);
    Map<String, SearchResult<Neighbour>> exact = memories.neighbours(project, ids, ten.exactly());
    int good = 0;
    int all = 0;
    for (String id : ids) {
      Set<Neighbour> hits = new HashSet<>(neighbours(found, id));
      all += neighbours(exact, id).size();
      good += (int) neighbours(exact, id).stream().filter(hits::contains).count();
    }
    return (double) good / all;
  }

  private static List<Neighbour> neighbours(
      Map<String, SearchResult<Neighbour>> results, String id) {
    return Objects.requireNonNull(results.get(id)).hits();
  }

  private void pairs() throws Exception {
    bench.report().text("All pairs of a project with a similarity of at least " + SIMILARITY + ".");
    Table table =
        new Table(
            "rows in the project",
            "pairs",
            "all pages, s",
            "slowest page of 500, ms",
            "recall, %d memories".formatted(CHECKED));
    for (int project : PROJECTS) {
      String id = DataSet.projectId(project);
      PairQuery query = PairQuery.of(SIMILARITY);
      bench.log().say("pairs: project of " + store.data().projectSize(project) + " rows");
      List<Double> pages = new ArrayList<>();
      int pairs = 0;
      PageRequest page = PageRequest.first(500);
      while (page != null) {
        long start = System.nanoTime();
        SimilarPairs found = memories.similarPairs(id, query, page);
        pages.add((System.nanoTime() - start) / 1e6);
        pairs += found.pairs().size();
        page = found.next();
      }
      PageRequest checked = PageRequest.first(CHECKED);
      Set<String> found = keys(memories.similarPairs(id, query, checked));
      Set<String> exact = keys(memories.similarPairs(id, query.exactly(), checked));
      found.retainAll(exact);
      table.row(
          "%,d".formatted(store.data().projectSize(project)),
          "%,d".formatted(pairs),
          pages.stream().mapToDouble(Double::doubleValue).sum() / 1e3,
          Spread.of(pages).max(),
          exact.isEmpty() ? "no pairs" : Spread.number((double) found.size() / exact.size()));
    }
    bench.report().table(table);
  }

  private static Set<String> keys(SimilarPairs pairs) {
    Set<String> keys = new HashSet<>();
    for (SimilarPair pair : pairs.pairs()) {
      keys.add(pair.leftId() + " " + pair.rightId());
    }
    return keys;
  }
}
