package io.agentmemory.consolidation.bench;

/** A table of work that several claimers share. */
interface JobQueue {
  /** How many are claimed by one statement. */
  int BATCH = 16;

  String name();

  /** Adds work that is due, and readies the table; not measured. */
  void fill(int jobs) throws Exception;

  /** Claims and completes all that was added, and gives the seconds that it took. */
  double drain(int claimers) throws Exception;
}
