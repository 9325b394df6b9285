package io.agentmemory.consolidation.quickstart;

import io.agentmemory.consolidation.dao.ConsolidatedMemory;
import io.agentmemory.consolidation.dao.ConsolidationJob;
import java.util.List;

/**
 * What consolidating a project did.
 *
 * @param job the job, completed
 * @param notes how many task memories were not consolidated before
 * @param made the memories that were made of them
 */
record ProjectReport(ConsolidationJob job, int notes, List<ConsolidatedMemory> made) {

  String projectId() {
    return job.projectId();
  }

  int consolidated() {
    return made.stream().mapToInt(ConsolidatedMemory::sourceCount).sum();
  }

  int left() {
    return notes - consolidated();
  }
}
