package io.agentmemory.consolidation.bench;

import java.util.Optional;

/** Another library's store of embeddings, as it comes. */
interface Peer {
  String name();

  /** Inserts the rows from one number to another, which is left out, in batches. */
  void insert(DataSet data, int from, int to);

  /** Searches a project, or all rows. */
  Contender search(Optional<String> project);

  /** Its table. */
  String table();
}
