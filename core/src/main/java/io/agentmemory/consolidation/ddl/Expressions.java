package io.agentmemory.consolidation.ddl;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Checks the SQL expressions of definitions. */
final class Expressions {
  private Expressions() {}

  static String check(String what, String expression) {
    if (expression.isBlank()
        || expression.indexOf('\0') >= 0
        || !StandardCharsets.UTF_8.newEncoder().canEncode(expression)) {
      throw new IllegalArgumentException(
          "The " + what + " is blank, or holds U+0000 or half a surrogate pair");
    }
    return expression;
  }

  static void checkOptional(String what, @Nullable String expression) {
    if (expression != null) {
      check(what, expression);
    }
  }
}
