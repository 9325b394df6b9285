package io.agentmemory.consolidation.bench;

import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.it.postgres.PostgresServer;
import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/** Takes rows in that come from nowhere, in a JVM of its own with little memory. */
public final class SmallHeap {
  static final String HEAP = "48 MiB";

  private static final String OPTION = "-Xmx48m";
  private static final String PASSWORD = "SMALL_HEAP_PASSWORD";

  private SmallHeap() {}

  /** Whether a JVM with so little memory gets all rows in. */
  static boolean load(ScratchDatabase database, PostgresServer server, int rows)
      throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            OPTION,
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
            "-cp",
            System.getProperty("java.class.path"),
            SmallHeap.class.getName(),
            database.jdbcUrl(),
            server.user(),
            String.valueOf(rows));
    Map<String, String> environment = builder.environment();
    environment.put(PASSWORD, server.password());
    return builder.inheritIO().start().waitFor() == 0;
  }

  /** Arguments: URL, user, rows. */
  public static void main(String[] arguments) {
    Random random = new Random(3);
    try (Consolidation consolidation =
        Consolidation.open(arguments[0], arguments[1], System.getenv(PASSWORD), OurStore.OPTIONS)) {
      OurIngest.load(
          consolidation,
          IntStream.range(0, Integer.parseInt(arguments[2]))
              .mapToObj(row -> memory(row, random))
              .iterator());
    }
  }

  private static NewMemory memory(int row, Random random) {
    float[] vector = new float[VectorCache.DIMENSIONS];
    for (int i = 0; i < vector.length; i++) {
      vector[i] = (float) random.nextGaussian();
    }
    return NewMemory.builder(
            DataSet.projectId(row % 100),
            DataSet.COMMON,
            AbstractionLevel.CONCRETE,
            "memory number " + row)
        .embedding(Embedding.of(vector))
        .build();
  }
}
