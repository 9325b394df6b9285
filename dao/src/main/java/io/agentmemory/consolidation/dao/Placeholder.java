package io.agentmemory.consolidation.dao;

/** Stands in for the first public class of this package. */
public final class Placeholder {
  private Placeholder() {}

  /**
   * Greets.
   *
   * @return the greeting
   */
  public static String greeting() {
    return "dao";
  }
}
