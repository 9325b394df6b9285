package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.schema.SchemaOptions;
import io.agentmemory.consolidation.schema.SearchIndexes;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Decides how a search by vector goes about it.
 *
 * <p>What it costs to compare every row grows with the project, what it costs to follow the index
 * with the candidates that it collects. Measured over 50,000 sentences of 384 dimensions, in
 * processor time of the server: 0.65 µs a row out of the covering index, 2.6 µs out of the table,
 * about 2 µs a row where a filter is applied first that a tenth pass; 20 to 27 µs a candidate out
 * of the index. Each statement looks for itself whether there are more rows than the bound, save
 * for projects that had within the last ten seconds. A filter by type counts the rows of the type,
 * as the covering index has them together; any other counts all rows of the project. Where an index
 * of revision {@code consolidation_001} serves a part of the filter, what it has decides as well:
 * see {@link RareFilters}.
 */
final class SearchRule {
  /** The most that {@code hnsw.ef_search} takes. */
  static final int MOST_CANDIDATES = 1_000;

  /** A recall of 0.99 of ten hits in every project that is searched by the index. */
  private static final int CANDIDATES = 64;

  /** A filter that one row in ten passes spreads the hits over more candidates. */
  private static final int CANDIDATES_WITH_FILTER = 100;

  /** Of so many rows for each candidate the exact search takes as long as the index. */
  private static final int COVERED_ROWS = 39;

  /** The same without the covering index, which is where embeddings are long; not measured. */
  private static final int ROWS = 16;

  /** Projects of less than about 800 rows are partly out of reach in the graph. */
  private static final int FEWEST_ROWS = 1_000;

  /** With a filter the index takes 12 to 18 ms, the table as long at so many rows. */
  private static final int ROWS_WITH_FILTER = 6_000;

  /** How long a project that was found to be large is taken to be so. */
  private static final long LARGE_FOR = TimeUnit.SECONDS.toNanos(10);

  private static final int MOST_SEARCHED = 10_000;

  /** The filters that hardly any row passes. */
  final RareFilters rare = new RareFilters();

  /** The searches that an index cannot serve. */
  final InVain inVain = new InVain();

  private final Map<Searched, Large> large = new ConcurrentHashMap<>();
  private final boolean possible;
  private final boolean covered;
  private volatile Indexes indexes;

  private SearchRule(SchemaOptions options, boolean byProject) {
    this.possible = SearchIndexes.keepsProjectsApart(options);
    this.covered = SearchIndexes.coversEmbeddings(options);
    this.indexes = new Indexes(byProject, true);
  }

  /** Which of the HNSW indexes serve; a bulk load takes them away for a while. */
  record Indexes(boolean byProject, boolean amongAll) {
    /** So many columns tell. */
    static final int COLUMNS = 2;

    boolean serve(Way way) {
      return way == Way.BY_PROJECT ? byProject : way == Way.AMONG_ALL && amongAll;
    }
  }

  /**
   * How many rows are compared rather than following the index.
   *
   * @param ofTypes whether the rows of the filter's types are counted, else all of the project
   */
  record Bound(int rows, boolean ofTypes) {}

  /** The rows that a search goes through, as far as they are counted. */
  private record Searched(
      String projectId, boolean filtered, Set<MemoryType> types, Set<AbstractionLevel> levels) {
    static Searched of(String projectId, MemoryFilter filter, Bound bound) {
      return new Searched(
          projectId,
          FilterSql.shape(filter) != 0,
          bound.ofTypes ? filter.types() : Set.of(),
          bound.ofTypes ? filter.levels() : Set.of());
    }
  }

  /**
   * There were more rows than this, which is not asked again until then.
   *
   * @param outOfReach whether the index alone gave too few of them
   */
  record Large(int rows, long until, boolean outOfReach) {
    long nanosLeft() {
      return until - System.nanoTime();
    }
  }

  /**
   * What is known where there were more rows than the bound within the last seconds, so that a
   * search need not look; else null. That they became fewer meanwhile is no harm: the index that
   * keeps projects apart gives what there is down to some hundred rows, and where it gives too few,
   * the search goes the other way.
   */
  @Nullable Large large(String projectId, MemoryFilter filter, Bound bound) {
    Large known = large.get(Searched.of(projectId, filter, bound));
    return known != null && known.rows >= bound.rows && known.nanosLeft() > 0 ? known : null;
  }

  /** Whether that was found so lately that a search need not find it again to keep it known. */
  boolean wasJustLarge(String projectId, MemoryFilter filter, Bound bound) {
    Large known = large(projectId, filter, bound);
    return known != null && known.nanosLeft() > LARGE_FOR / 2;
  }

  /**
   * Takes note that the index alone gave too few rows of a large project, as where most of its
   * entries are of deleted rows.
   */
  void fellShort(String projectId, MemoryFilter filter, Bound bound) {
    large.computeIfPresent(
        Searched.of(projectId, filter, bound),
        (searched, known) -> new Large(known.rows, known.until, true));
  }

  /** Takes note that there are more rows than the bound, or that there are not. */
  void seen(String projectId, MemoryFilter filter, Bound bound, boolean more) {
    Searched searched = Searched.of(projectId, filter, bound);
    if (!more) {
      large.remove(searched);
      return;
    }
    if (large.size() >= MOST_SEARCHED) {
      large.clear();
    }
    Large next = new Large(bound.rows, System.nanoTime() + LARGE_FOR, false);
    large.merge(
        searched, next, (known, late) -> known.outOfReach && known.nanosLeft() > 0 ? known : late);
  }

  static SearchRule of(Names names) {
    return new SearchRule(
        names.options(), names.state().revisions().contains(SearchIndexes.REVISION));
  }

  /** Which statement searches. */
  enum Way {
    /** Compares every row. */
    EXACTLY,
    /** Small projects exactly, others by the index that keeps projects apart. */
    BY_PROJECT,
    /** Small projects exactly, others by the index over all rows. */
    AMONG_ALL
  }

  Way way(String projectId, VectorQuery query) {
    return way(query.exact() || inVain.isKnown(projectId, query.filter(), query.limit()));
  }

  Way way(String projectId, BatchQuery query) {
    return way(query.exact() || inVain.isKnown(projectId, query.filter(), query.limit()));
  }

  private Way way(BatchQuery query) {
    return way(query.exact());
  }

  private Way way(boolean exact) {
    if (exact) {
      return Way.EXACTLY;
    }
    if (indexes.byProject && possible) {
      return Way.BY_PROJECT;
    }
    return indexes.amongAll ? Way.AMONG_ALL : Way.EXACTLY;
  }

  /** Takes note of which indexes serve, for the next search, where a search looked. */
  Indexes seen(ResultSet row, int first) throws SQLException {
    Indexes before = indexes;
    boolean byProject = row.getBoolean(first);
    if (row.wasNull()) {
      return before;
    }
    boolean amongAll = row.getBoolean(first + 1);
    Indexes there = new Indexes(byProject, row.wasNull() ? before.amongAll : amongAll);
    if (!before.equals(there)) {
      indexes = there;
    }
    return there;
  }

  static int candidates(VectorQuery query) {
    return candidates(query.limit(), query.filter(), query.effort());
  }

  static int candidates(BatchQuery query) {
    return candidates(query.limit(), query.filter(), query.effort());
  }

  private static int candidates(int limit, MemoryFilter filter, @Nullable SearchEffort effort) {
    if (effort != null) {
      return effort.candidates();
    }
    boolean filtered = FilterSql.shape(filter) != 0;
    int least = filtered ? CANDIDATES_WITH_FILTER : CANDIDATES;
    return Math.min(MOST_CANDIDATES, Math.max(least, 2 * limit));
  }

  /** Up to how many rows a search by vector compares all. */
  Bound bound(VectorQuery query) {
    return countsTypes(query.filter())
        ? new Bound(rows(candidates(query)), true)
        : new Bound(exactUpTo(query), false);
  }

  /** The same for each search of a batch, where either index may be followed. */
  Bound bound(BatchQuery query) {
    return countsTypes(query.filter()) && way(query) != Way.AMONG_ALL
        ? new Bound(rows(candidates(query)), true)
        : new Bound(exactUpTo(query), false);
  }

  private boolean countsTypes(MemoryFilter filter) {
    return covered && !filter.types().isEmpty();
  }

  /** Up to how many rows a project is searched exactly. */
  int exactUpTo(VectorQuery query) {
    return exactUpTo(query.filter(), candidates(query));
  }

  /** The same where either index may be followed. */
  int exactUpTo(BatchQuery query) {
    return way(query) == Way.AMONG_ALL
        ? SearchSql.EXACT_UP_TO
        : exactUpTo(query.filter(), candidates(query));
  }

  private int exactUpTo(MemoryFilter filter, int candidates) {
    int rows = rows(candidates);
    return FilterSql.shape(filter) != 0 ? Math.max(ROWS_WITH_FILTER, rows) : rows;
  }

  private int rows(int candidates) {
    return Math.max(FEWEST_ROWS, (covered ? COVERED_ROWS : ROWS) * candidates);
  }
}
