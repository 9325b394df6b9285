package io.agentmemory.consolidation.dao;

/** The words of a query's text as the server understands them. */
final class TextSql {
  static final String WEB_SEARCH = "websearch_to_tsquery({configuration}, :text)";

  /** The lexemes of a text with "or" between them; a lexeme holds no blanks. */
  private static final String ANY_WORD =
      "cast(replace(cast(plainto_tsquery({configuration}, :text) as text), ' & ', ' | ') as tsquery)";

  private TextSql() {}

  private static String words(WordMatch match) {
    return match == WordMatch.ANY_WORD ? ANY_WORD : WEB_SEARCH;
  }

  /** The headline of a row {@code m}, null unless one is asked for. */
  static String headline(boolean wanted, WordMatch match) {
    return wanted
        ? "ts_headline({configuration}, m.content, " + words(match) + ", :headline)"
        : "cast(null as text)";
  }
}
