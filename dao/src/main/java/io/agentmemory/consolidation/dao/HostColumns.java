package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.ddl.Identifiers;
import io.agentmemory.consolidation.schema.HostTable;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.Parser;

/** The mapping of the host's table as parts of SQL. */
final class HostColumns {
  private HostColumns() {}

  /** The fragments that statements on the host's table are made of. */
  static Map<String, String> fragments(Names names) {
    HostTable host = names.options().hostTable();
    return Map.of(
        "memories", names.memories(),
        "host", names.taskMemories(),
        "hostId", Identifiers.quoted(host.idColumn()),
        "hostProject", cast(host.project(), "text"),
        "hostText", cast(host.text(), "text"),
        "hostType", cast(host.type(), "text"),
        "hostSuccess", cast(host.success(), "boolean"),
        "hostTime", cast(host.time(), "timestamptz"));
  }

  private static String cast(@Nullable String expression, String type) {
    return "cast(" + expression(expression) + " as " + type + ")";
  }

  /**
   * An expression of the mapping, in parentheses and ready for the driver, to which a question mark
   * outside of quotes and comments would be a parameter. A comment at its end ends with its line.
   */
  static String expression(@Nullable String expression) {
    if (expression == null) {
      return "null";
    }
    char[] sql = expression.toCharArray();
    StringBuilder text = new StringBuilder("(");
    for (int at = 0; at < sql.length; at++) {
      int end =
          switch (sql[at]) {
            case '\'' -> Parser.parseSingleQuotes(sql, at, true);
            case '"' -> Parser.parseDoubleQuotes(sql, at);
            case '$' -> Parser.parseDollarQuotes(sql, at);
            case '-' -> Parser.parseLineComment(sql, at);
            case '/' -> Parser.parseBlockComment(sql, at);
            default -> at;
          };
      end = Math.min(end, sql.length - 1);
      text.append(sql, at, end - at + 1);
      if (sql[at] == '?') {
        text.append('?');
      }
      at = end;
    }
    return text.append("\n)").toString();
  }
}
