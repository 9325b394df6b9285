package io.agentmemory.consolidation.dao;

/** Classes of projects by how many memories they have. */
public enum ProjectSize {
  /** At most 1,000 memories. */
  UP_TO_1_000("up to 1,000"),
  /** More, and at most 10,000. */
  UP_TO_10_000("up to 10,000"),
  /** More, and at most 100,000. */
  UP_TO_100_000("up to 100,000"),
  /** More than 100,000 memories. */
  LARGER("more than 100,000");

  private final String label;

  ProjectSize(String label) {
    this.label = label;
  }

  /**
   * The class of a project.
   *
   * @param memories how many memories it has
   * @return the class
   */
  public static ProjectSize of(long memories) {
    if (memories <= 1_000) {
      return UP_TO_1_000;
    }
    if (memories <= 10_000) {
      return UP_TO_10_000;
    }
    return memories <= 100_000 ? UP_TO_100_000 : LARGER;
  }

  /**
   * How the class is called in tables.
   *
   * @return for example {@code up to 1,000}
   */
  public String label() {
    return label;
  }
}
