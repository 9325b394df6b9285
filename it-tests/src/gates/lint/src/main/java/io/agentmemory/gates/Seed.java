package io.agentmemory.gates;

/** Uses a deprecated method, which is for javac alone to find. */
final class Seed {
  private Seed() {}

  @SuppressWarnings("BoxedPrimitiveConstructor")
  static Object text() {
    return new Integer(1);
  }
}
