package io.agentmemory.consolidation.dao;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * How rare words are in the larger projects, counted now and then and kept. Thread-safe.
 *
 * <p>Counting takes about 2 ms per 1,000 memories, from the sample's size on 1 ms per 1,000 more.
 * Counts hold for ten seconds or for a hundred times as long as counting took, whichever is longer;
 * then the next search counts again while others go on with the old counts, and so does itself
 * where it cannot count within half of its time. Old counts only shift weights: which memories hold
 * a word is always read from the table. At most 2,000,000 counts (16 MB) are kept, those of the
 * projects that were searched last; a single project with more keeps its own.
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

  /** The same of about so many memories, whatever came first, by a hash of their ids. */
  private static final String COUNT_SAMPLE =
      """
      select /* consolidation search.words */ word, ndoc
      from ts_stat(
        format('select content_tsv from %s where project_id = %L
            and abs(hashtextextended(id, 0) %% %s) < %s',
          {memoriesLiteral}, cast(:project as text), cast(:rows as int8), cast(:sample as int)))""";

  private static final String SIZES =
      """
      select /* consolidation search.words */
        (select count(*) from {memories} where project_id = :project),
        (select {rowsOfTable} from pg_catalog.pg_class as held
          where held.oid = to_regclass({memoriesLiteral}))"""
          .replace("{rowsOfTable}", RareFilters.ROWS_OF_TABLE);

  /** The words of questions. */
  final Lexemes lexemes = new Lexemes();

  private final Map<String, ReentrantLock> counting = new ConcurrentHashMap<>();
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
      return count(session.inHalfTheTime(), projectId);
    } catch (SQLException e) {
      if (session.joined()) {
        throw e; // the transaction has failed
      }
      ProjectWords old = words.validUntil(System.nanoTime() + LEAST_VALIDITY);
      keep(projectId, old);
      return old;
    } finally {
      words.renewing.set(false);
    }
  }

  /**
   * Counts for the first time; null where the project is small. Of several threads one counts. In a
   * transaction none waits for another, which could be waiting for the transaction.
   */
  @Nullable ProjectWords first(MemorySession session, String projectId) throws SQLException {
    if (session.joined()) {
      return count(session, projectId);
    }
    ReentrantLock lock = counting.computeIfAbsent(projectId, absent -> new ReentrantLock());
    if (!waitFor(lock, session.deadline())) {
      return count(session, projectId);
    }
    try {
      ProjectWords words = known(projectId);
      return words == null ? count(session, projectId) : words;
    } finally {
      counting.remove(projectId, lock);
      lock.unlock();
    }
  }

  /** Takes a lock while there is time; false if the thread was interrupted. */
  private static boolean waitFor(Lock lock, @Nullable Deadline deadline) throws SQLException {
    try {
      if (lock.tryLock(deadline == null ? Long.MAX_VALUE : deadline.check(), MILLISECONDS)) {
        return true;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
    throw new Deadline.Expired();
  }

  private @Nullable ProjectWords count(MemorySession session, String projectId)
      throws SQLException {
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
    boolean all = rows <= ProjectWords.SAMPLE;
    try (Call call = session.prepare(all ? COUNT : COUNT_SAMPLE)) {
      call.text("project", projectId).integer("sample", ProjectWords.SAMPLE);
      if (!all) {
        call.integer("rows", rows);
      }
      ResultSet result = call.query();
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
