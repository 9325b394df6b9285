package io.agentmemory.consolidation.dao;

import org.jspecify.annotations.Nullable;

/**
 * Checks that a text is a JSON object that a {@code jsonb} column takes, before it is sent. The
 * grammar is RFC 8259's; what PostgreSQL refuses beyond it (the escapes of U+0000 and of half a
 * surrogate pair, numbers out of all range, nesting without end) is refused too.
 */
final class JsonObjects {
  static final int MAX_BYTES = 1 << 20;
  private static final int MAX_DEPTH = 200;
  private static final int MAX_DIGITS = 10_000;
  private static final int MAX_EXPONENT = 1_000;

  private final String name;
  private final String json;
  private int at;

  private JsonObjects(String name, String json) {
    this.name = name;
    this.json = json;
  }

  /** The text, which must be a JSON object. */
  static String check(String name, @Nullable String json) {
    String text = Checks.text(name, json, MAX_BYTES);
    new JsonObjects(name, text).document();
    return text;
  }

  private void document() {
    space();
    if (peek() != '{') {
      throw refused("must be a JSON object, such as {\"key\": 1}");
    }
    value(0);
    space();
    if (at < json.length()) {
      throw refused("must end after the JSON object");
    }
  }

  private void value(int depth) {
    if (depth > MAX_DEPTH) {
      throw refused("must not be nested deeper than " + MAX_DEPTH);
    }
    space();
    switch (peek()) {
      case '{' -> members(depth);
      case '[' -> elements(depth);
      case '"' -> string();
      case 't' -> word("true");
      case 'f' -> word("false");
      case 'n' -> word("null");
      default -> number();
    }
  }

  private void members(int depth) {
    at++;
    space();
    if (take('}')) {
      return;
    }
    do {
      space();
      string();
      space();
      expect(':');
      value(depth + 1);
      space();
    } while (take(','));
    expect('}');
  }

  private void elements(int depth) {
    at++;
    space();
    if (take(']')) {
      return;
    }
    do {
      value(depth + 1);
      space();
    } while (take(','));
    expect(']');
  }

  private void string() {
    expect('"');
    while (peek() != '"') {
      char c = next();
      if (c < ' ') {
        throw refused("must escape control characters");
      }
      if (c == '\\') {
        escape();
      }
    }
    at++;
  }

  private void escape() {
    char c = next();
    if (c != 'u') {
      if ("\"\\/bfnrt".indexOf(c) < 0) {
        throw refused("must hold no escape but those of JSON");
      }
      return;
    }
    char unit = unit();
    if (unit == 0) {
      throw refused("must not hold U+0000, which PostgreSQL cannot store");
    }
    boolean paired =
        Character.isHighSurrogate(unit)
            && take('\\')
            && take('u')
            && Character.isLowSurrogate(unit());
    if (Character.isSurrogate(unit) && !paired) {
      throw refused("must not hold half a surrogate pair");
    }
  }

  private char unit() {
    int unit = 0;
    for (int i = 0; i < 4; i++) {
      char c = next();
      int digit = c < 0x80 ? Character.digit(c, 16) : -1;
      if (digit < 0) {
        throw refused("must have four hexadecimal digits after \\u");
      }
      unit = unit << 4 | digit;
    }
    return (char) unit;
  }

  private void word(String word) {
    if (!json.startsWith(word, at)) {
      throw refused("must hold JSON values only");
    }
    at += word.length();
  }

  private void number() {
    int start = at;
    take('-');
    if (!take('0')) {
      digits();
    }
    if (take('.')) {
      digits();
    }
    if (at - start > MAX_DIGITS) {
      throw refused("must hold numbers of at most " + MAX_DIGITS + " digits");
    }
    if (take('e') || take('E')) {
      if (!take('+')) {
        take('-');
      }
      int exponent = at;
      digits();
      if (at - exponent > 9 || Integer.parseInt(json, exponent, at, 10) > MAX_EXPONENT) {
        throw refused("must hold numbers with exponents of at most " + MAX_EXPONENT);
      }
    }
  }

  private void digits() {
    int start = at;
    while (peek() >= '0' && peek() <= '9') {
      at++;
    }
    if (at == start) {
      throw refused("must hold JSON values only");
    }
  }

  private void space() {
    while (at < json.length() && " \t\r\n".indexOf(json.charAt(at)) >= 0) {
      at++;
    }
  }

  /** The character at hand; U+0000, which the text does not hold, at the end. */
  private char peek() {
    return at < json.length() ? json.charAt(at) : 0;
  }

  private char next() {
    if (at == json.length()) {
      throw refused("must not end within a string");
    }
    return json.charAt(at++);
  }

  private boolean take(char c) {
    if (peek() != c) {
      return false;
    }
    at++;
    return true;
  }

  private void expect(char c) {
    if (!take(c)) {
      throw refused("must have " + c + " there");
    }
  }

  private InvalidInputException refused(String why) {
    return new InvalidInputException(
        "%s %s: character %,d of %s".formatted(name, why, at + 1, Checks.quoted(json)));
  }
}
