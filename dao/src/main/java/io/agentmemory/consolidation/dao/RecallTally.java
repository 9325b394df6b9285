package io.agentmemory.consolidation.dao;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a {@link RecallProbe} measured in projects of one size. */
final class RecallTally {
  /** The efforts that are measured; null is the default. */
  static final List<@Nullable SearchEffort> EFFORTS =
      Collections.unmodifiableList(
          Arrays.asList(null, SearchEffort.LOW, SearchEffort.MEDIUM, SearchEffort.HIGH));

  /** How much the same distance may differ between two ways of computing it. */
  private static final double TOLERANCE = 1e-6;

  private final int limit;
  private int projects;
  private int searches;
  private double expected;
  private final Way exact = new Way();
  private final List<Way> ways = new ArrayList<>();

  RecallTally(int limit) {
    this.limit = limit;
    EFFORTS.forEach(effort -> ways.add(new Way()));
  }

  /** The results for one memory, which is left out of each: the exact one is the first. */
  static final class Sample {
    private final String id;
    private final Map<Integer, SearchResult<VectorHit>> results = new HashMap<>();
    private final Map<Integer, Long> nanos = new HashMap<>();

    Sample(String id) {
      this.id = id;
    }

    void add(int way, SearchResult<VectorHit> result, long taken) {
      results.put(way, result);
      nanos.put(way, taken);
    }

    /** The distances of the neighbours that a way found. */
    private double[] distances(int way, int limit) {
      return Checks.notNull("result", results.get(way)).hits().stream()
          .filter(hit -> !hit.memory().id().equals(id))
          .mapToDouble(VectorHit::distance)
          .limit(limit)
          .toArray();
    }
  }

  /** The figures of one way to search. */
  private static final class Way {
    double recall;
    double rows;
    final List<Long> nanos = new ArrayList<>();
    final Set<SearchStrategy> strategies = EnumSet.noneOf(SearchStrategy.class);

    Duration percentile(int percent) {
      List<Long> sorted = nanos.stream().sorted().toList();
      int rank = (sorted.size() * percent + 99) / 100;
      return Duration.ofNanos(sorted.get(Math.max(0, rank - 1)));
    }
  }

  void nextProject() {
    projects++;
  }

  void add(Sample sample) {
    double[] nearest = sample.distances(0, limit);
    searches++;
    expected += nearest.length;
    exact.nanos.add(Checks.notNull("nanos", sample.nanos.get(0)));
    for (int i = 0; i < ways.size(); i++) {
      Way way = ways.get(i);
      double[] found = sample.distances(i + 1, limit);
      way.nanos.add(Checks.notNull("nanos", sample.nanos.get(i + 1)));
      way.strategies.add(Checks.notNull("result", sample.results.get(i + 1)).strategy());
      way.rows += found.length;
      way.recall += recall(nearest, found);
    }
  }

  /** By distance, so that of several memories equally near any will do. */
  private static double recall(double[] nearest, double[] found) {
    if (nearest.length == 0) {
      return 1;
    }
    double farthest = nearest[nearest.length - 1] + TOLERANCE;
    long good = Arrays.stream(found).filter(distance -> distance <= farthest).count();
    return (double) good / nearest.length;
  }

  List<RecallRow> rows(ProjectSize size) {
    List<RecallRow> rows = new ArrayList<>();
    for (int i = 0; i < ways.size() && searches > 0; i++) {
      Way way = ways.get(i);
      rows.add(
          new RecallRow(
              size,
              projects,
              searches,
              EFFORTS.get(i),
              way.recall / searches,
              way.rows / searches,
              expected / searches,
              way.percentile(50),
              way.percentile(95),
              exact.percentile(50),
              exact.percentile(95),
              way.strategies));
    }
    return rows;
  }
}
