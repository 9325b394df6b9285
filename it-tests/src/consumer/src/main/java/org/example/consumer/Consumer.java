package org.example.consumer;

/** Uses both jars; what it prints is what ConsumerTest expects. */
public final class Consumer {
  private Consumer() {}

  public static void main(String[] args) {
    System.out.println("consumer: " + io.agentmemory.consolidation.schema.Placeholder.greeting());
    System.out.println("consumer: " + io.agentmemory.consolidation.dao.Placeholder.greeting());
  }
}
