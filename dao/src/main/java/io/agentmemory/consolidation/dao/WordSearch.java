package io.agentmemory.consolidation.dao;

import java.sql.SQLException;
import java.util.Collection;

/** Chooses how the words of a search are matched, and does so again where that fell short. */
final class WordSearch {
  /** How many times as many memories as needed the first threshold is expected to give. */
  private static final int FIRST = 2;

  private static final int EACH_FURTHER = 10;

  private WordSearch() {}

  /** A search by one statement. */
  interface Attempt<H> {
    Result<H> run(WordLeg leg) throws SQLException;
  }

  /** What a statement gave. */
  record Result<H>(SearchResult<H> hits, WordLeg.Found found) {}

  static <H> SearchResult<H> run(
      MemorySession session,
      WordStatistics statistics,
      String projectId,
      String text,
      WordMatch match,
      int depth,
      Attempt<H> attempt)
      throws SQLException {
    if (match == WordMatch.WEB_SEARCH) {
      return attempt.run(WordLeg.WEB_SEARCH).hits;
    }
    ProjectWords project = statistics.of(session, projectId);
    while (project == null) {
      Result<H> result = attempt.run(WordLeg.COUNTED);
      if (WordLeg.COUNTED.isComplete(result.found, depth)) {
        return result.hits;
      }
      project = statistics.first(session, projectId);
    }
    Collection<String> lexemes = statistics.lexemes.of(session, text);
    if (lexemes.isEmpty()) {
      return attempt.run(WordLeg.WEB_SEARCH).hits;
    }
    double expected = (double) FIRST * depth;
    while (true) {
      WordLeg leg = WordLeg.weighed(project, lexemes, expected);
      Result<H> result = attempt.run(leg);
      if (leg.isComplete(result.found, depth)) {
        return result.hits;
      }
      expected *= EACH_FURTHER;
    }
  }
}
