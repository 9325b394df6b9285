package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.dao.InvalidSourcesException.Reason;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * One pass of a {@link ConsolidationFlow} over a project, as a try of a job or without one.
 *
 * <p>The outcome of a cluster is part of its phase's name. That no cluster is recorded twice
 * follows from the lease: whoever holds it has read all phases when it was granted, and nobody else
 * can have recorded one since.
 */
final class FlowPass {
  private static final Logger LOG = LoggerFactory.getLogger(FlowPass.class);
  private static final String BEGAN = "flow began ";
  private static final int MOST_LOOKED_AT = 1_000;

  /** By so much the database's similarities, of single precision, may be too high. */
  private static final double ROUNDING = 1e-4;

  private final ConsolidationFlow flow;
  private final Consolidation consolidation;
  private final String projectId;
  private final @Nullable JobRun run;
  private final Map<ClusterOutcome, Integer> counts = new EnumMap<>(ClusterOutcome.class);

  /** The keys of the clusters that earlier tries of the job have recorded. */
  private final Set<String> recorded = new HashSet<>();

  FlowPass(
      ConsolidationFlow flow, Consolidation consolidation, String projectId, @Nullable JobRun run) {
    this.flow = flow;
    this.consolidation = consolidation;
    this.projectId = projectId;
    this.run = run;
  }

  FlowResult run() throws Exception {
    PairQuery query = begin(flow.query().amongUnconsolidated());
    Clusters clusters = new Clusters(flow.mostInCluster());
    int cut = 0;
    PageRequest page =
        PageRequest.first(
            Math.min(MOST_LOOKED_AT, BatchSearch.MOST_NEIGHBOURS / query.mostNeighbours()));
    while (page != null) {
      checkStopped();
      SimilarPairs found;
      try {
        found = consolidation.memories().similarPairs(projectId, query, page);
      } catch (DatabaseException failure) {
        if (!Failures.QUERY_CANCELED.equals(failure.sqlState()) || page.size() == 1) {
          throw failure;
        }
        page = new PageRequest(page.size() / 2, page.after());
        continue;
      }
      unambiguous(found.pairs()).forEach(clusters::add);
      cut += found.cutIds().size();
      page = found.next();
    }
    List<Clusters.Found> found = new ArrayList<>(clusters.found());
    Collections.shuffle(found);
    for (Clusters.Found cluster : found) {
      String key = MemoryCluster.key(cluster.ids());
      if (!recorded.contains(key)) {
        checkStopped();
        consolidate(key, cluster, query);
      }
    }
    return new FlowResult(
        clusters.pairs(),
        found.size(),
        counts.getOrDefault(ClusterOutcome.CONSOLIDATED, 0),
        counts.getOrDefault(ClusterOutcome.DECLINED, 0),
        counts.getOrDefault(ClusterOutcome.SKIPPED, 0),
        cut);
  }

  /** The pairs without memories that cannot be sources, as task memories have the same ids. */
  private List<SimilarPair> unambiguous(List<SimilarPair> pairs) {
    Set<String> ids = new HashSet<>();
    for (SimilarPair pair : pairs) {
      ids.add(pair.leftId());
      ids.add(pair.rightId());
    }
    Set<String> ambiguous =
        ids.isEmpty() ? Set.of() : consolidation.memories().ambiguous(projectId, ids);
    if (ambiguous.isEmpty()) {
      return pairs;
    }
    log(LOG.atWarn())
        .log(
            "Left out memories that cannot be told from task memories of the same id: {}",
            Checks.some(ambiguous));
    return pairs.stream()
        .filter(pair -> !ambiguous.contains(pair.leftId()) && !ambiguous.contains(pair.rightId()))
        .toList();
  }

  /** Records when the first try began; another goes by what there was at that time. */
  private PairQuery begin(PairQuery query) {
    if (run == null) {
      return query;
    }
    Instant began = null;
    for (String phase : run.job().phasesCompleted()) {
      if (phase.startsWith(BEGAN)) {
        began = Instant.parse(phase.substring(BEGAN.length()));
      }
      for (ClusterOutcome outcome : ClusterOutcome.values()) {
        if (outcome.names(phase)) {
          recorded.add(outcome.key(phase));
          counts.merge(outcome, 1, Integer::sum);
        }
      }
    }
    if (began == null) {
      JobLease lease = run.lease();
      consolidation.jobs().recordPhase(lease, BEGAN + lease.startedAt(), "{}");
      return query;
    }
    Instant to = query.filter().to();
    return to != null && to.isBefore(began) ? query : query.withFilter(query.filter().to(began));
  }

  private void checkStopped() throws InterruptedException {
    if (run != null && run.isLost()) {
      throw new LeaseLostException(run.lease().jobId(), "flow");
    }
    if (Thread.interrupted()) {
      throw new InterruptedException("interrupted between the clusters of a project");
    }
  }

  private void consolidate(String key, Clusters.Found found, PairQuery query) throws Exception {
    List<ConsolidatedMemory> memories =
        consolidation
            .memories()
            .withEmbeddings()
            .unconsolidated(projectId, found.ids(), query.filter());
    double similarity = leastSimilarity(memories);
    if (memories.size() < found.ids().size() || !(similarity >= query.minSimilarity() - ROUNDING)) {
      record(
          key,
          (joined, connection) -> skipped(key, "a memory was consolidated, changed or deleted"));
      return;
    }
    MemoryCluster cluster = new MemoryCluster(projectId, memories, similarity);
    NewMemory memory =
        Checks.notNull("what the consolidator returned", flow.consolidator().consolidate(cluster))
            .orElse(null);
    if (memory == null) {
      record(key, (joined, connection) -> ClusterOutcome.DECLINED);
      return;
    }
    if (!memory.projectId().equals(projectId)) {
      throw new InvalidInputException(
          "the consolidator's memory must be of the project %s, as its sources are, was of %s"
              .formatted(Checks.quoted(projectId), Checks.quoted(memory.projectId())));
    }
    record(key, (joined, connection) -> store(joined, connection, cluster, memory));
  }

  /** Of the two that are least alike; no number where one has no embedding any more. */
  private static double leastSimilarity(List<ConsolidatedMemory> memories) {
    double least = 1;
    for (int i = 0; i < memories.size(); i++) {
      Embedding one = memories.get(i).embedding();
      for (int j = i + 1; j < memories.size(); j++) {
        Embedding other = memories.get(j).embedding();
        least =
            Math.min(
                least, one == null || other == null ? Double.NaN : one.cosineSimilarity(other));
      }
    }
    return least;
  }

  /** What is done in the transaction of a cluster. */
  private interface Step {
    ClusterOutcome run(Consolidation joined, Connection connection) throws SQLException;
  }

  private void record(String key, Step step) {
    ClusterOutcome outcome =
        consolidation
            .database()
            .of(projectId)
            .transact(
                "flow",
                handle -> {
                  Consolidation joined = consolidation.joining(handle);
                  ClusterOutcome ended = step.run(joined, handle.getConnection());
                  if (run != null) {
                    Map<ClusterOutcome, Integer> after = new EnumMap<>(counts);
                    after.merge(ended, 1, Integer::sum);
                    joined
                        .jobs()
                        .recordPhase(run.lease(), ended.phase(key), ClusterOutcome.metrics(after));
                  }
                  return ended;
                });
    counts.merge(outcome, 1, Integer::sum);
  }

  /**
   * Locks the sources by consolidating them, then looks whether they are as they were thought
   * about.
   */
  private ClusterOutcome store(
      Consolidation joined, Connection connection, MemoryCluster cluster, NewMemory memory)
      throws SQLException {
    Savepoint before = connection.setSavepoint();
    try {
      joined.consolidate(memory, Sources.ofMemories(cluster.ids()));
    } catch (AlreadyConsolidatedException overtaken) {
      return skipped(cluster.key(), overtaken.getMessage());
    } catch (InvalidSourcesException invalid) {
      if (invalid.reason() == Reason.MORE_ABSTRACT && !changed(joined, cluster)) {
        throw invalid;
      }
      return skipped(cluster.key(), invalid.getMessage());
    }
    if (changed(joined, cluster)) {
      connection.rollback(before);
      return skipped(cluster.key(), "a memory was changed");
    }
    return ClusterOutcome.CONSOLIDATED;
  }

  private ClusterOutcome skipped(String key, @Nullable String why) {
    log(LOG.atInfo()).addKeyValue("cluster", key).log("Skipped a cluster: {}", why);
    return ClusterOutcome.SKIPPED;
  }

  private LoggingEventBuilder log(LoggingEventBuilder event) {
    return LogFields.add(event, "job", run == null ? null : run.job().id())
        .addKeyValue("project", projectId);
  }

  private static boolean changed(Consolidation joined, MemoryCluster cluster) {
    Map<String, ConsolidatedMemory> now =
        joined.memories().findAll(cluster.projectId(), cluster.ids()).stream()
            .collect(Collectors.toMap(ConsolidatedMemory::id, Function.identity()));
    return cluster.memories().stream()
        .anyMatch(
            then -> {
              ConsolidatedMemory memory = now.get(then.id());
              return memory == null || !memory.updatedAt().equals(then.updatedAt());
            });
  }
}
