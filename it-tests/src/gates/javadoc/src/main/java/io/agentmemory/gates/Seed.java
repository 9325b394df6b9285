package io.agentmemory.gates;

/** Has a method whose parameter is not documented. */
public final class Seed {
  private Seed() {}

  /**
   * Returns what it is given.
   *
   * @return the text
   */
  public static String text(String text) {
    return text;
  }
}
