package io.agentmemory.consolidation.dao;

/**
 * Consolidates what is alike among a project's consolidated memories: finds pairs that are similar
 * enough, makes clusters of them, has the application make a memory of each cluster, and stores it
 * with its lineage. Task memories are the application's to compare ({@link
 * TaskMemoryDao#unconsolidated}), as the index is over consolidated memories only.
 *
 * <pre>{@code
 * ConsolidationFlow flow = ConsolidationFlow.of(PairQuery.of(0.9), cluster -> summary(cluster));
 * try (JobWorker worker = JobWorker.start(consolidation, flow)) { … }
 * }</pre>
 *
 * <p>Any two memories of a cluster are at least as similar as the query says: a chain of memories,
 * each like the next, is not a cluster (complete linkage). A memory is in one cluster at most, and
 * none is in any that others have been consolidated from, or that has the id of a task memory,
 * which cannot be a source. What is more than fits into one cluster makes several; as the memories
 * made of them may be alike, a later run may make one of those.
 *
 * <p>When its turn has come, a cluster is looked at again: if one of its memories was consolidated
 * or deleted, or changed such that the query no longer holds, it is skipped, and what is left of it
 * is found by a later run. Each is a transaction of its own, begun when the application has
 * answered, and is skipped as well if a memory was consolidated, changed or deleted meanwhile. So a
 * run can be ended anywhere, or go beside another in the same project, without a memory being
 * consolidated twice. Since two that go beside each other may both have the application think about
 * a cluster, enqueue jobs by {@link ConsolidationJobDao#enqueueUnlessActive}; clusters come in an
 * order by chance, so that it happens seldom.
 *
 * <p>As the handler of a {@link JobWorker} it records a phase for each cluster in the transaction
 * that stores it, under a name made from the memories' ids. Another try of the job asks the
 * application again about no cluster that was recorded, declined ones included, and leaves out
 * memories consolidated since the first try began, such as those that the job has made itself. The
 * job's metrics count the clusters: {@code clusters_consolidated}, {@code clusters_declined},
 * {@code clusters_skipped}. A handler of the application's may run it between phases of its own,
 * once in a job.
 *
 * <p>Pairs are searched for page by page, with up to 1,000 searches in one call. A call that takes
 * longer than the view's or the server's timeout is made again for half as many, down to one, and
 * the run goes on with pages of that size; a view without a timeout, or with one of minutes, saves
 * what is searched in vain.
 *
 * <p>The pairs of the project are in memory, about 150 bytes each. The list of phases grows with
 * each cluster and is written anew: it takes 20 ms once there are 5,000, so no job should have many
 * more. Immutable, and as thread-safe as the consolidator.
 */
public final class ConsolidationFlow implements JobHandler {
  private static final int MOST_IN_CLUSTER = 20;

  private final PairQuery query;
  private final Consolidator consolidator;
  private final int mostInCluster;

  private ConsolidationFlow(PairQuery query, Consolidator consolidator, int mostInCluster) {
    this.query = query;
    this.consolidator = consolidator;
    this.mostInCluster = mostInCluster;
  }

  /**
   * With clusters of at most 20 memories.
   *
   * @param query which pairs are alike; memories that others have been consolidated from are left
   *     out in any case
   * @param consolidator makes a memory of each cluster
   * @return the flow
   */
  public static ConsolidationFlow of(PairQuery query, Consolidator consolidator) {
    return new ConsolidationFlow(
        Checks.notNull("query", query),
        Checks.notNull("consolidator", consolidator),
        MOST_IN_CLUSTER);
  }

  /**
   * The same with smaller or larger clusters.
   *
   * @param most how many memories a cluster may have, from 2 to 1,000
   * @return another flow
   */
  public ConsolidationFlow withMostInCluster(int most) {
    Checks.between("most", most, 2, 1_000);
    return new ConsolidationFlow(query, consolidator, most);
  }

  /**
   * Runs once over a project, without a job.
   *
   * @param consolidation where the memories are; must not have joined a connection, which would
   *     keep the caller's transaction open while the consolidator thinks
   * @param projectId the project
   * @return what it came to
   * @throws InterruptedException if the thread was interrupted before a cluster or a page of pairs
   * @throws InvalidSourcesException if what the consolidator gave is less abstract than a source
   * @throws InvalidInputException if it is of another project, or a connection was joined
   * @throws Exception what the consolidator threw; clusters that were stored before stay
   */
  public FlowResult run(Consolidation consolidation, String projectId) throws Exception {
    Checks.id("projectId", projectId);
    if (Checks.notNull("consolidation", consolidation).database().joined()) {
      throw new InvalidInputException(
          "consolidation has joined a connection, whose transaction would be open while the"
              + " consolidator thinks: give what Consolidation.on or open returned");
    }
    return new FlowPass(this, consolidation, projectId, null).run();
  }

  /**
   * Runs over the project of a job.
   *
   * @param run the job
   * @throws LeaseLostException if the job is no longer this run's
   * @throws Exception as {@link #run(Consolidation, String)} does; the next try goes on
   */
  @Override
  public void run(JobRun run) throws Exception {
    Checks.notNull("run", run);
    new FlowPass(this, run.consolidation(), run.job().projectId(), run).run();
  }

  PairQuery query() {
    return query;
  }

  Consolidator consolidator() {
    return consolidator;
  }

  int mostInCluster() {
    return mostInCluster;
  }
}
