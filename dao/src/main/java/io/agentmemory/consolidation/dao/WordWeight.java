package io.agentmemory.consolidation.dao;

import java.util.List;

/**
 * A lexeme and how much it counts: {@code ln(1 + (n - f + 0.5) / (f + 0.5))} where {@code f} of a
 * project's {@code n} memories hold it, as in Lucene's BM25. In whole hundred-millionths, so that
 * sums do not depend on their order and equal ones are equal.
 *
 * @param lexeme the lexeme
 * @param holding how many memories hold it
 * @param weight the weight
 */
record WordWeight(String lexeme, long holding, long weight) {
  static final double UNIT = 1e8;

  static WordWeight of(String lexeme, long holding, long rows) {
    double n = Math.max(rows, holding);
    double weight = Math.log(1 + (n - holding + 0.5) / (holding + 0.5));
    return new WordWeight(lexeme, holding, Math.round(weight * UNIT));
  }

  /** The share of the memories that hold it, of which there is always a little. */
  double share(long rows) {
    return Math.min(1, Math.max((double) holding, 0.5) / Math.max(rows, 1));
  }

  /** Adds it as a part of a {@code tsquery} in text. */
  void quote(StringBuilder query) {
    query.append('\'');
    for (int i = 0; i < lexeme.length(); i++) {
      char c = lexeme.charAt(i);
      if (c == '\'' || c == '\\') {
        query.append(c);
      }
      query.append(c);
    }
    query.append('\'');
  }

  /** An array of {@code tsquery} in text. */
  static String array(List<WordWeight> words) {
    StringBuilder array = new StringBuilder(16 * words.size()).append('{');
    for (WordWeight word : words) {
      array.append(array.length() > 1 ? ",\"" : "\"");
      int start = array.length();
      word.quote(array);
      for (int i = array.length() - 1; i >= start; i--) {
        if (array.charAt(i) == '"' || array.charAt(i) == '\\') {
          array.insert(i, '\\');
        }
      }
      array.append('"');
    }
    return array.append('}').toString();
  }
}
