package io.agentmemory.consolidation.schema;

/**
 * The extension {@code vector}, where it is installed.
 *
 * @param schema the schema it lives in
 * @param version for example {@code 0.8.1}
 */
record Extension(String schema, String version) {
  static final String NAME = "vector";
  static final String MINIMUM = "0.8.0";
  static final String SOUND = "0.8.4";

  boolean isBelow(String other) {
    return isBelow(version, other);
  }

  static boolean isBelow(String version, String other) {
    String[] mine = version.split("\\D+", -1);
    String[] theirs = other.split("\\D+", -1);
    for (int i = 0; i < theirs.length; i++) {
      int difference = number(mine, i) - number(theirs, i);
      if (difference != 0) {
        return difference < 0;
      }
    }
    return false;
  }

  private static int number(String[] parts, int i) {
    return i < parts.length && !parts[i].isEmpty() ? Integer.parseInt(parts[i]) : 0;
  }
}
