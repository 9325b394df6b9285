package org.example.consumer;

import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.VectorHit;
import io.agentmemory.consolidation.dao.VectorQuery;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaOptions;
import org.postgresql.ds.PGSimpleDataSource;

/** Uses both jars; what it prints is what ConsumerTest expects. */
public final class Consumer {
  private Consumer() {}

  /** Takes a JDBC URL, a user and a password. */
  public static void main(String[] args) {
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setUrl(args[0]);
    dataSource.setUser(args[1]);
    dataSource.setPassword(args[2]);
    SchemaOptions options = SchemaOptions.builder().dimensions(3).build();
    Schema.on(dataSource, options).upgrade();
    System.out.println("consumer: differences " + Schema.on(dataSource, options).verify());
    Consolidation consolidation = Consolidation.on(dataSource, options);
    Embedding embedding = Embedding.of(1, 2, 3);
    consolidation
        .memories()
        .insert(
            NewMemory.builder(
                    "shop", MemoryType.LEARNING, AbstractionLevel.CONCRETE, "Retry with a limit.")
                .embedding(embedding)
                .build());
    for (VectorHit hit :
        consolidation.memories().searchByVector("shop", VectorQuery.of(embedding, 10)).hits()) {
      System.out.println("consumer: found " + hit.memory().content());
    }
  }
}
