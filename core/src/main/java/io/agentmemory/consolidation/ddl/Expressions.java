package io.agentmemory.consolidation.ddl;

import org.jspecify.annotations.Nullable;

/** Checks the SQL expressions of definitions. */
final class Expressions {
  private Expressions() {}

  static String check(String what, String expression) {
    if (expression.isBlank() || expression.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("The " + what + " is blank or holds U+0000");
    }
    return expression;
  }

  static void checkOptional(String what, @Nullable String expression) {
    if (expression != null) {
      check(what, expression);
    }
  }
}
