package io.agentmemory.consolidation.ddl;

import java.nio.charset.StandardCharsets;

/**
 * Names and literals as PostgreSQL wants them written.
 *
 * <p>Stateless and thread-safe. No argument may be null.
 */
public final class Identifiers {
  /** The longest name PostgreSQL keeps; it cuts a longer one silently. */
  public static final int MAX_BYTES = 63;

  private Identifiers() {}

  /**
   * Checks one name: not empty, no U+0000, no lone surrogate, at most {@value #MAX_BYTES} bytes of
   * UTF-8.
   *
   * @param what what the name is of, for the message, for example {@code "column"}
   * @param name the name
   * @return the name
   * @throws IllegalArgumentException if PostgreSQL could not keep this very name
   */
  public static String check(String what, String name) {
    if (name.isEmpty()) {
      throw new IllegalArgumentException("The name of a " + what + " must not be empty");
    }
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(name) || name.indexOf('\0') >= 0) {
      throw new IllegalArgumentException(
          "The name of a "
              + what
              + " holds U+0000 or half a surrogate pair, which PostgreSQL cannot store: "
              + shortened(name.replace('\0', '?')));
    }
    int bytes = name.getBytes(StandardCharsets.UTF_8).length;
    if (bytes > MAX_BYTES) {
      throw new IllegalArgumentException(
          "The name of a "
              + what
              + " has "
              + bytes
              + " bytes, PostgreSQL keeps "
              + MAX_BYTES
              + ": "
              + shortened(name)
              + ". Choose a shorter one");
    }
    return name;
  }

  /**
   * Quotes a name, always, so that case, keywords and odd characters survive.
   *
   * @param name a name
   * @return the name in double quotes
   */
  public static String quoted(String name) {
    return '"' + name.replace("\"", "\"\"") + '"';
  }

  /**
   * Writes a string literal that reads the same under every {@code standard_conforming_strings}.
   *
   * @param text any text without U+0000
   * @return the text in single quotes, with an {@code E} in front where it holds a backslash
   */
  public static String literal(String text) {
    String doubled = '\'' + text.replace("'", "''") + '\'';
    return text.indexOf('\\') < 0 ? doubled : " E" + doubled.replace("\\", "\\\\");
  }

  private static String shortened(String name) {
    return name.length() <= 80 ? name : name.substring(0, 77) + "...";
  }
}
