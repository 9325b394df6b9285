package io.agentmemory.consolidation.bench;

/** A sentence that is not among the rows, as words and as a vector. */
final class Question {
  private final int number;
  private final String text;
  private final float[] vector;

  Question(int number, String text, float[] vector) {
    this.number = number;
    this.text = text;
    this.vector = vector;
  }

  int number() {
    return number;
  }

  /** The sentence as somebody would ask for it. */
  String text() {
    return text;
  }

  /** Of unit length; not to be changed. */
  float[] vector() {
    return vector;
  }
}
