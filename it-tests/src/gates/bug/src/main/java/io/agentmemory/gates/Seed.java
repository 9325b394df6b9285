package io.agentmemory.gates;

/** Drops the result of a method that does nothing else. */
final class Seed {
  private Seed() {}

  static String text() {
    String text = " ";
    text.strip();
    return text;
  }
}
