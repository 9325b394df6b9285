package io.agentmemory.consolidation.dao;

import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds pairs of memories that are alike, for one page of memories at a time.
 *
 * <p>In a small project each of them is compared with all that come after it. In a large one the
 * index gives the few nearest neighbours of each; where all of these are similar enough there may
 * be more, and the search for those memories alone is repeated for more neighbours. Neighbours that
 * are to be left out do not count, so that it goes on past them.
 */
final class PairSearch {
  private static final int FIRST_NEIGHBOURS = 10;
  private static final int TIMES_MORE = 4;

  /** So many neighbours of one memory are looked at where some of them are to be left out. */
  static final int MOST_PASSED_BY = MemoryChecks.MOST_ROWS;

  private final MemorySession session;
  private final SearchRule rule;
  private final String projectId;
  private final PairQuery query;

  /** Of each memory of the page, in their order, what is similar enough. */
  private final Map<String, List<Neighbour>> found = new LinkedHashMap<>();

  private final List<String> cut = new ArrayList<>();

  /** Neighbours of which it is known whether others have been consolidated from them. */
  private final Set<String> known = new HashSet<>();

  private final Set<String> consolidated = new HashSet<>();
  private final Set<SearchStrategy> strategies = EnumSet.noneOf(SearchStrategy.class);

  PairSearch(MemorySession session, SearchRule rule, String projectId, PairQuery query) {
    this.session = session;
    this.rule = rule;
    this.projectId = projectId;
    this.query = query;
  }

  SimilarPairs page(PageRequest page) throws SQLException {
    List<String> lefts = new ArrayList<>();
    boolean large = lefts(page, lefts);
    PageRequest next = null;
    if (lefts.size() > page.size()) {
      lefts.remove(page.size());
      next = new PageRequest(page.size(), lefts.get(page.size() - 1));
    }
    lefts.removeAll(leftOut(lefts));
    if (!lefts.isEmpty()) {
      lefts.forEach(left -> found.put(left, List.of()));
      if (large && !query.exact()) {
        byNeighbours(lefts);
      } else {
        exactly(lefts);
      }
    }
    return new SimilarPairs(pairs(), cut, strategies, next);
  }

  /** Reads the page's ids and one more, and tells whether the project is searched by an index. */
  private boolean lefts(PageRequest page, List<String> ids) throws SQLException {
    PairSql.Lefts shape = new PairSql.Lefts(FilterSql.shape(query.filter()), session.joined());
    String after = page.after();
    boolean large = false;
    try (Call call = session.prepare(shape, PairSql::lefts)) {
      FilterSql.bind(query.filter(), call);
      ResultSet rows =
          call.text("project", projectId)
              .text("after", after == null ? "" : after)
              .integer("exactUpTo", rule.exactUpTo(query.neighbours(FIRST_NEIGHBOURS)))
              .integer("count", page.size() + 1)
              .query(Settings.index(shape.joined()));
      while (rows.next()) {
        ids.add(rows.getString(1));
        large = rows.getBoolean(2);
      }
    }
    return large;
  }

  /** Whether neighbours are to be left out since others have been consolidated from them. */
  private Set<String> leftOut(Collection<String> ids) throws SQLException {
    if (query.unconsolidated()) {
      List<String> asked = ids.stream().filter(known::add).toList();
      if (!asked.isEmpty()) {
        consolidated.addAll(consolidated(session, projectId, asked));
      }
    }
    return consolidated;
  }

  /** Those that others have been consolidated from. */
  static Set<String> consolidated(MemorySession session, String projectId, Collection<String> ids)
      throws SQLException {
    return ids(session, PairSql.CONSOLIDATED, projectId, ids);
  }

  /** Those that task memories have as well. */
  static Set<String> ambiguous(MemorySession session, String projectId, Collection<String> ids)
      throws SQLException {
    return ids(session, PairSql.AMBIGUOUS, projectId, ids);
  }

  private static Set<String> ids(
      MemorySession session, String template, String projectId, Collection<String> ids)
      throws SQLException {
    Set<String> found = new HashSet<>();
    try (Call call = session.prepare(template)) {
      ResultSet rows = call.text("project", projectId).texts("ids", ids).query();
      while (rows.next()) {
        found.add(rows.getString(1));
      }
    }
    return found;
  }

  private void byNeighbours(List<String> lefts) throws SQLException {
    int most = query.unconsolidated() ? MOST_PASSED_BY : query.mostNeighbours() + 1;
    List<String> open = lefts;
    for (int limit = Math.min(FIRST_NEIGHBOURS, most);
        !open.isEmpty();
        limit = Math.min(TIMES_MORE * limit, most)) {
      List<String> more = new ArrayList<>();
      int atOnce = BatchSearch.MOST_NEIGHBOURS / limit;
      for (int from = 0; from < open.size(); from += atOnce) {
        List<String> part = open.subList(from, Math.min(open.size(), from + atOnce));
        more.addAll(byNeighbours(part, limit, limit < most));
      }
      open = more;
    }
    found.replaceAll((left, all) -> all.stream().filter(n -> isBefore(left, n.id())).toList());
  }

  /** Those for which more neighbours must be looked at. */
  private List<String> byNeighbours(List<String> lefts, int limit, boolean mayBeMore)
      throws SQLException {
    Map<String, SearchResult<Neighbour>> results =
        new BatchSearch(session, rule, projectId, query.neighbours(limit)).byIds(lefts);
    Set<String> near = new HashSet<>();
    results.values().forEach(result -> result.hits().forEach(hit -> near.add(hit.id())));
    Set<String> leftOut = leftOut(near);
    List<String> more = new ArrayList<>();
    results.forEach(
        (left, result) -> {
          strategies.add(result.strategy());
          boolean full = result.hits().size() == limit;
          List<Neighbour> kept =
              result.hits().stream().filter(hit -> !leftOut.contains(hit.id())).toList();
          if (full && mayBeMore && kept.size() <= query.mostNeighbours()) {
            more.add(left);
          } else {
            take(left, kept, full);
          }
        });
    return more;
  }

  private void exactly(List<String> lefts) throws SQLException {
    strategies.add(SearchStrategy.EXACT);
    PairSql.Exactly shape =
        new PairSql.Exactly(
            FilterSql.shape(query.filter()), query.unconsolidated(), session.joined());
    Map<String, List<Neighbour>> compared = new LinkedHashMap<>();
    try (Call call = session.prepare(shape, PairSql::exactly)) {
      FilterSql.bind(query.filter(), call);
      ResultSet rows =
          call.text("project", projectId)
              .texts("ids", lefts)
              .number("maxDistance", query.maxDistance())
              .integer("depth", query.mostNeighbours() + 1)
              .query(Settings.index(shape.joined()));
      while (rows.next()) {
        compared
            .computeIfAbsent(rows.getString(1), left -> new ArrayList<>())
            .add(new Neighbour(rows.getString(2), rows.getDouble(3)));
      }
    }
    compared.forEach((left, neighbours) -> take(left, neighbours, false));
  }

  /** Keeps as many neighbours as the query allows, and notes that there are, or may be, more. */
  private void take(String left, List<Neighbour> neighbours, boolean more) {
    int most = query.mostNeighbours();
    if (more || neighbours.size() > most) {
      cut.add(left);
    }
    found.put(left, neighbours.subList(0, Math.min(most, neighbours.size())));
  }

  private List<SimilarPair> pairs() {
    List<SimilarPair> pairs = new ArrayList<>();
    found.forEach(
        (left, all) ->
            all.forEach(right -> pairs.add(new SimilarPair(left, right.id(), right.similarity()))));
    return pairs;
  }

  private static boolean isBefore(String id, String other) {
    return Arrays.compareUnsigned(
            id.getBytes(StandardCharsets.UTF_8), other.getBytes(StandardCharsets.UTF_8))
        < 0;
  }
}
