package io.agentmemory.consolidation.dao;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A statement with named parameters ({@code :name}), made for JDBC once and run often.
 *
 * <p>Fragments ({@code {name}}: our identifiers, operators and types) are formatted in when it is
 * made; a template must not hold colons or braces for anything else.
 */
final class Sql {
  private final String text;
  private final Map<String, int[]> positions;

  private Sql(String text, Map<String, int[]> positions) {
    this.text = text;
    this.positions = positions;
  }

  static Sql of(String template, Map<String, String> fragments) {
    StringBuilder text = new StringBuilder(template.length() + 200);
    Map<String, List<Integer>> positions = new HashMap<>();
    int count = 0;
    for (int at = 0; at < template.length(); ) {
      char c = template.charAt(at);
      if (c == ':') {
        int end = endOfName(template, at + 1);
        positions
            .computeIfAbsent(template.substring(at + 1, end), name -> new ArrayList<>())
            .add(++count);
        text.append('?');
        at = end;
      } else if (c == '{') {
        int end = template.indexOf('}', at);
        String fragment = fragments.get(template.substring(at + 1, end));
        if (fragment == null) {
          throw new IllegalStateException("no fragment " + template.substring(at, end + 1));
        }
        text.append(fragment);
        at = end + 1;
      } else {
        text.append(c);
        at++;
      }
    }
    Map<String, int[]> arrays = new HashMap<>();
    positions.forEach(
        (name, list) -> arrays.put(name, list.stream().mapToInt(Integer::intValue).toArray()));
    return new Sql(text.toString(), arrays);
  }

  private static int endOfName(String template, int start) {
    int end = start;
    while (end < template.length() && Character.isJavaIdentifierPart(template.charAt(end))) {
      end++;
    }
    return end;
  }

  /** The text with {@code ?} for the parameters. */
  String text() {
    return text;
  }

  /** Where a parameter stands, from 1. */
  int[] positions(String name) {
    int[] found = positions.get(name);
    if (found == null) {
      throw new IllegalStateException("no parameter " + name + " in " + text);
    }
    return found;
  }
}
