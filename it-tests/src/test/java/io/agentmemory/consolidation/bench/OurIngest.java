package io.agentmemory.consolidation.bench;

import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.LoadOptions;
import io.agentmemory.consolidation.dao.NewMemory;
import java.util.Iterator;

/** The library's way to take many memories in. */
final class OurIngest {
  private OurIngest() {}

  /** The fastest way for a stream of memories under the indexes that there are. */
  static void load(Consolidation consolidation, Iterator<NewMemory> memories) {
    consolidation.memories().load(memories, LoadOptions.defaults());
  }
}
