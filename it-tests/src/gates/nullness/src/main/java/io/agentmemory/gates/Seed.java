package io.agentmemory.gates;

/** Returns a null that its signature denies. */
final class Seed {
  private Seed() {}

  static String text() {
    return null;
  }
}
