package io.agentmemory.consolidation.schema;

/**
 * Something that a {@linkplain Schema#checkUp check-up} found. Its {@code toString} is for people.
 *
 * <p>Immutable and thread-safe.
 *
 * @param severity how much it matters
 * @param what what was found
 * @param remedy what to do about it: SQL where a statement helps, else a sentence
 */
public record Finding(Severity severity, String what, String remedy) {
  /** How much a finding matters, the gravest first. */
  public enum Severity {
    /** Calls fail, or their results may be wrong. */
    ERROR,

    /** Calls are slower, or searches find less, than they should. */
    WARNING,

    /** Nothing suffers yet. */
    NOTE
  }

  static Finding error(String what, String remedy) {
    return new Finding(Severity.ERROR, what, remedy);
  }

  static Finding warning(String what, String remedy) {
    return new Finding(Severity.WARNING, what, remedy);
  }

  static Finding note(String what, String remedy) {
    return new Finding(Severity.NOTE, what, remedy);
  }

  @Override
  public String toString() {
    return severity + ": " + what + ". Remedy: " + remedy;
  }
}
