package io.agentmemory.consolidation.quickstart;

import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.MemoryType;
import java.time.Instant;

/** What consolidating needs to know of a task memory. */
record Note(String id, String text, MemoryType type, Instant time, Embedding embedding) {}
