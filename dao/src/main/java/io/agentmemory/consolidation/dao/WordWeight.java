package io.agentmemory.consolidation.dao;

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

  /** As a part of a {@code tsquery} in text. */
  String quoted() {
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'";
  }
}
