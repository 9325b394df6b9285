package io.agentmemory.consolidation.dao;

import java.util.Optional;

/** What an application makes of memories that are alike. */
@FunctionalInterface
public interface Consolidator {
  /**
   * Makes one memory of several, for example with a language model. It may take minutes: neither a
   * transaction nor a connection is held meanwhile. Called by the thread that runs the flow, again
   * for the same cluster if the result could not be stored.
   *
   * @param cluster the memories
   * @return the memory, of the cluster's project, without lineage and not less abstract than any of
   *     the cluster's; empty to leave the memories as they are
   * @throws Exception if it cannot be said; it ends the run, and what was stored before stays
   */
  Optional<NewMemory> consolidate(MemoryCluster cluster) throws Exception;
}
