package io.agentmemory.consolidation.dao;

/** How far a memory is from what it was consolidated from. Levels are ordered. */
public enum AbstractionLevel {
  /** Close to its sources. */
  CONCRETE(1),
  /** Common to several cases. */
  GENERALIZED(2),
  /** A general principle. */
  PRINCIPLE(3);

  private final int level;

  AbstractionLevel(int level) {
    this.level = level;
  }

  /**
   * The level as it is written in the database.
   *
   * @return 1, 2 or 3
   */
  public int level() {
    return level;
  }

  /**
   * The level of a number.
   *
   * @param level 1, 2 or 3
   * @return the level
   * @throws InvalidInputException if there is no such level
   */
  public static AbstractionLevel of(int level) {
    return switch (level) {
      case 1 -> CONCRETE;
      case 2 -> GENERALIZED;
      case 3 -> PRINCIPLE;
      default ->
          throw new InvalidInputException("abstraction level must be 1, 2 or 3, was " + level);
    };
  }
}
