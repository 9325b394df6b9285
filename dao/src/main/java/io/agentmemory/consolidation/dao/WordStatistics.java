package io.agentmemory.consolidation.dao;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How rare words are in the larger projects, counted now and then and kept. Thread-safe.
 *
 * <p>Counting takes about 2 ms per 1,000 memories. Counts hold for ten seconds or for a hundred
 * times as long as counting took, whichever is longer; then the next search counts again while
 * others go on with the old counts. Old counts only shift weights: which memories hold a word is
 * always read from the table. At most 2,000,000 counts (16 MB) are kept, those of the projects that
 * were searched last; a single project with more keeps its own.
 */
final class WordStatistics {
  private static final long LEAST_VALIDITY = TimeUnit.SECONDS.toNanos(10);
  private static final int VALIDITY_PER_COST = 100;
  private static final int MOST_COUNTS = 2_000_000;

  /** The inner query is a text to the function; the server itself quotes the project in it. */
  private static final String COUNT =
      """
      select /* consolidation search.words */ word, ndoc
      from ts_stat(
        format('select content_tsv from %s where project_id = %L limit %s',
          {memoriesLiteral}, cast(:project as text), cast(:sample as int)))""";

  private static final String SIZES =
      """
      select /* consolidation search.words */
        (select count(*) from {memories} where project_id = :project),
        (select {rowsOfTable} from pg_catalog.pg_class as held
          where held.oid = to_regclass({memoriesLiteral}))"""
          .replace("{rowsOfTable}", RareFilters.ROWS_OF_TABLE);

  /** The words of questions. */
  final Lexemes lexemes = new Lexemes();

  private final Map<String, ProjectWords> projects = new LinkedHashMap<>(16, 0.75f, true);
  private long counts;

  /** The counts of a project; null if there are none, because it is small or was not searched. */
  @Nullable ProjectWords of(MemorySession session, String projectId) throws SQLException {
    ProjectWords words = known(projectId);
    if (words == null
        || words.isValidAt(System.nanoTime())
        || !words.renewing.compareAndSet(false, true)) {
      return words;
    }
    try {
      return count(session, projectId);
    } finally {
      words.renewing.set(false);
    }
  }

  /** Counts now; null where the project is small. */
  @Nullable ProjectWords count(MemorySession session, String projectId) throws SQLException {
    long start = System.nanoTime();
    long rows;
    double rowsOfTable;
    try (Call call = session.prepare(SIZES)) {
      ResultSet result = call.text("project", projectId).query();
      result.next();
      rows = result.getLong(1);
      rowsOfTable = result.getDouble(2);
    }
    if (rows <= WordLeg.SMALL) {
      keep(projectId, null);
      return null;
    }
    ProjectWords.Builder builder = new ProjectWords.Builder();
    try (Call call = session.prepare(COUNT)) {
      ResultSet result =
          call.text("project", projectId).integer("sample", ProjectWords.SAMPLE).query();
      while (result.next()) {
        builder.add(result.getString(1), result.getInt(2));
      }
    }
    long end = System.nanoTime();
    ProjectWords words =
        builder.build(
            rows, rowsOfTable, end + Math.max(LEAST_VALIDITY, VALIDITY_PER_COST * (end - start)));
    keep(projectId, words);
    return words;
  }

  private synchronized @Nullable ProjectWords known(String projectId) {
    return projects.get(projectId);
  }

  private synchronized void keep(String projectId, @Nullable ProjectWords words) {
    ProjectWords old = projects.remove(projectId);
    counts -= old == null ? 0 : old.size();
    if (words == null) {
      return;
    }
    projects.put(projectId, words);
    counts += words.size();
    Iterator<ProjectWords> oldest = projects.values().iterator();
    while (counts > MOST_COUNTS && projects.size() > 1) {
      counts -= oldest.next().size();
      oldest.remove();
    }
  }
}
