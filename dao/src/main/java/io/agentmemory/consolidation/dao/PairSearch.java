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
 * be more, and the search for those memories alone is repeated for more neighbours.
 */
final class PairSearch {
  private static final int FIRST_NEIGHBOURS = 10;
  private static final int TIMES_MORE = 4;

  private final MemorySession session;
  private final SearchRule rule;
  private final String projectId;
  private final PairQuery query;

  /** Of each memory of the page, in their order, what is similar enough. */
  private final Map<String, List<Neighbour>> found = new LinkedHashMap<>();

  private final List<String> cut = new ArrayList<>();
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

  /** Those that others have been consolidated from, if these are to be left out. */
  private Set<String> leftOut(Collection<String> ids) throws SQLException {
    return query.unconsolidated() && !ids.isEmpty()
        ? consolidated(session, projectId, ids)
        : Set.of();
  }

  /** Those that others have been consolidated from. */
  static Set<String> consolidated(MemorySession session, String projectId, Collection<String> ids)
      throws SQLException {
    Set<String> consolidated = new HashSet<>();
    try (Call call = session.prepare(PairSql.CONSOLIDATED)) {
      ResultSet rows = call.text("project", projectId).texts("ids", ids).query();
      while (rows.next()) {
        consolidated.add(rows.getString(1));
      }
    }
    return consolidated;
  }

  private void byNeighbours(List<String> lefts) throws SQLException {
    int most = query.mostNeighbours();
    Collection<String> open = lefts;
    for (int limit = Math.min(FIRST_NEIGHBOURS, most + 1);
        !open.isEmpty();
        limit = Math.min(TIMES_MORE * limit, most + 1)) {
      List<String> more = new ArrayList<>();
      for (Map.Entry<String, SearchResult<Neighbour>> entry :
          new BatchSearch(session, rule, projectId, query.neighbours(limit))
              .byIds(open)
              .entrySet()) {
        SearchResult<Neighbour> result = entry.getValue();
        strategies.add(result.strategy());
        if (result.hits().size() == limit && limit <= most) {
          more.add(entry.getKey());
        } else {
          take(entry.getKey(), result.hits());
        }
      }
      open = more;
    }
    found.replaceAll((left, all) -> all.stream().filter(n -> isBefore(left, n.id())).toList());
  }

  private void exactly(List<String> lefts) throws SQLException {
    strategies.add(SearchStrategy.EXACT);
    PairSql.Exactly shape = new PairSql.Exactly(FilterSql.shape(query.filter()), session.joined());
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
    compared.forEach(this::take);
  }

  /** Keeps as many neighbours as the query allows, and notes that there are more. */
  private void take(String left, List<Neighbour> neighbours) {
    int most = query.mostNeighbours();
    if (neighbours.size() > most) {
      cut.add(left);
    }
    found.put(left, neighbours.subList(0, Math.min(most, neighbours.size())));
  }

  private List<SimilarPair> pairs() throws SQLException {
    Set<String> rights = new HashSet<>();
    found.values().forEach(all -> all.forEach(neighbour -> rights.add(neighbour.id())));
    Set<String> leftOut = leftOut(rights);
    List<SimilarPair> pairs = new ArrayList<>();
    found.forEach(
        (left, all) -> {
          for (Neighbour right : all) {
            if (!leftOut.contains(right.id())) {
              pairs.add(new SimilarPair(left, right.id(), right.similarity()));
            }
          }
        });
    return pairs;
  }

  private static boolean isBefore(String id, String other) {
    return Arrays.compareUnsigned(
            id.getBytes(StandardCharsets.UTF_8), other.getBytes(StandardCharsets.UTF_8))
        < 0;
  }
}
