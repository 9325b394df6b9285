package io.agentmemory.gates;

/** Has a space too many. */
final class Seed {
  private Seed() {}

  static String text() {
    return  "";
  }
}
