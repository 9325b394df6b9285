package io.agentmemory.consolidation.it.dao;

import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.NewMemory;
import java.util.Random;

/** Memories and embeddings for tests, the same on every run. */
final class Samples {
  private Samples() {}

  /** An embedding that is as good as orthogonal to those of other seeds. */
  static Embedding embedding(int dimensions, long seed) {
    Random random = new Random(seed);
    float[] values = new float[dimensions];
    for (int i = 0; i < dimensions; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return Embedding.of(values);
  }

  /** An embedding in the plane of the first two axes, at an angle to the first. */
  static Embedding direction(int dimensions, double degrees) {
    float[] values = new float[dimensions];
    values[0] = (float) Math.cos(Math.toRadians(degrees));
    values[1] = (float) Math.sin(Math.toRadians(degrees));
    return Embedding.of(values);
  }

  static NewMemory.Builder memory(String projectId, String content) {
    return NewMemory.builder(projectId, MemoryType.DECISION, AbstractionLevel.CONCRETE, content);
  }
}
