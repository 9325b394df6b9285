package io.agentmemory.gates;

/** Stands in a package that is not null-marked. */
final class Seed {
  private Seed() {}

  static String text() {
    return "";
  }
}
