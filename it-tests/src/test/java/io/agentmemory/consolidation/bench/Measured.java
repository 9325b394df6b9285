package io.agentmemory.consolidation.bench;

/**
 * What the rounds gave for a contender.
 *
 * @param p50 milliseconds
 * @param p99 milliseconds
 * @param recall the share of the true best that it found, over all questions asked
 * @param rows how many rows it returned on average
 * @param complete whether it always returned as many as there are to return
 * @param asked how many questions it was asked in all rounds together
 */
record Measured(
    String name, Spread p50, Spread p99, double recall, double rows, boolean complete, int asked) {

  double ms() {
    return p50.median();
  }

  /** Rows, marked where some were missing. */
  String rowsText() {
    return Spread.number(rows) + (complete ? "" : " ⚠");
  }
}
