package io.agentmemory.consolidation.bench;

import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.NewMemory;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** The library's ways to take many memories in. */
final class OurIngest {
  private static final int BATCH = 1_000;

  private OurIngest() {}

  /** The fastest way for a stream of memories under the indexes that there are. */
  static void load(Consolidation consolidation, Iterator<NewMemory> memories) {
    List<NewMemory> batch = new ArrayList<>();
    while (memories.hasNext()) {
      batch.add(memories.next());
      if (batch.size() == BATCH || !memories.hasNext()) {
        consolidation.memories().insertAll(batch);
        batch.clear();
      }
    }
  }
}
