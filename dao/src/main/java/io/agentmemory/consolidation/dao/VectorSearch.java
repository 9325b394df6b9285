package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.dao.SearchRule.Way;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The search by vector. */
final class VectorSearch {
  private static final String SEARCH =
      """
      with /* consolidation search.vector */ {legs}
      select {how}, {nearest} as nearest, {indexes}, hits.*
      from (select) as always
      left join (
        {hits}
      ) as hits on hits.distance <= :maxDistance
      order by hits.distance, hits.id collate "C\"""";

  /**
   * What is shown is looked up one by one, which no plan for other values can make a mistake of.
   */
  private static final String LOOKED_UP =
      """
      select f.distance, {columns}
        from {found} as f cross join lateral (
          select * from {memories} as shown
          where shown.id = f.id and shown.project_id = :project offset 0
        ) as m
        where f.distance <> 'NaN'""";

  /** What the index led to was at hand there, which saves looking it up. */
  private static final String CARRIED =
      """
      select m.distance, {columns}
        from approximate as m
        where (select n from found) >= :depth
        union all""";

  private static final String NEAREST_BY_PROJECT =
      """
      (select case when n >= :depth then n
          else (select count(*) from exact where distance <> 'NaN') end from found)""";

  /** The index alone, for a project that is known to be large. The hits are sorted here. */
  private static final String FOLLOWED =
      """
      with /* consolidation search.vector */ {query}
      select m.embedding {distance} (select embedding from query) as distance, {columns}
      from {memories} as m
      where project_id = :project and embedding is not null{filter}
        and (select {byProjectServes})
      order by {coded} {innerProduct} (select coded from query)
      limit :depth""";

  private static final String SMALL = "not (select many from size)";

  private static final Comparator<VectorHit> NEAREST_FIRST =
      Comparator.comparingDouble(VectorHit::distance)
          .thenComparing(hit -> hit.memory().id(), Ids.ORDER);

  private static final int COURSE = 1;
  private static final int NEAREST = COURSE + SearchSql.Course.COLUMNS;
  private static final int INDEXES = NEAREST + 1;
  private static final int DISTANCE = INDEXES + SearchRule.Indexes.COLUMNS;
  private static final int MEMORY = DISTANCE + 1;

  /** How the statement is planned. */
  private enum Plan {
    /** Once: the best plan is the same for all values. */
    ONCE,
    /** Once, which is as good for small projects; of a large one, no rows but the index's. */
    ONCE_FOR_SMALL,
    /** For the values at hand. */
    FOR_VALUES;

    static Plan of(Way way, int filter, SearchRule.Bound bound, boolean large) {
      if (way != Way.BY_PROJECT) {
        return FOR_VALUES;
      }
      if (filter == 0 || (bound.ofTypes() && FilterSql.onlyTypesAndLevels(filter))) {
        return ONCE;
      }
      return large || FilterSql.misleads(filter) ? FOR_VALUES : ONCE_FOR_SMALL;
    }
  }

  /**
   * What the statement depends on.
   *
   * @param ofTypes whether the rows of the filter's types are counted, else all of the project
   * @param counts whether it counts the project's rows, which is known to be large if not
   * @param mayBeRare whether it looks for itself whether hardly any row passes the filter
   */
  private record Shape(
      Way way,
      int filter,
      boolean ofTypes,
      boolean counts,
      boolean mayBeRare,
      Plan plan,
      boolean withEmbedding,
      boolean joined) {}

  private final MemorySession session;
  private final SearchRule rule;
  private final String projectId;
  private final VectorQuery query;
  private final int filter;
  private final SearchRule.Bound bound;

  private VectorSearch(
      MemorySession session, SearchRule rule, String projectId, VectorQuery query) {
    this.session = session;
    this.rule = rule;
    this.projectId = projectId;
    this.query = query;
    this.filter = FilterSql.shape(query.filter());
    this.bound = rule.bound(query);
  }

  private static String template(Shape shape) {
    boolean byProject = shape.way == Way.BY_PROJECT;
    String legs = byProject ? SearchSql.LEGS_BY_PROJECT : SearchSql.nearest(shape.way);
    String search =
        SEARCH
            .replace("{legs}", legs.replace("{carried}", "m.*"))
            .replace("{many}", shape.counts ? SearchSql.MANY : "true")
            .replace("{counted}", shape.ofTypes ? FilterSql.ofTypes(shape.filter) : "")
            .replace("{common}", RareFilters.common(shape.mayBeRare, shape.filter))
            .replace("{tooFew}", shape.plan == Plan.ONCE_FOR_SMALL ? SMALL : SearchSql.TOO_FEW)
            .replace("{how}", SearchSql.how(shape.way))
            .replace("{indexes}", SearchSql.indexes(shape.way))
            .replace("{nearest}", byProject ? NEAREST_BY_PROJECT : "(select count(*) from nearest)")
            .replace("{hits}", byProject ? CARRIED + "\n" + LOOKED_UP : LOOKED_UP)
            .replace("{found}", byProject ? "exact" : "nearest")
            .replace("{columns}", MemoryRow.columns(shape.withEmbedding))
            .replace("{filter}", FilterSql.conditions(shape.filter));
    return Settings.of(shape.way, shape.plan == Plan.FOR_VALUES).around(search, shape.joined);
  }

  /** What the statement that only follows the index depends on. */
  private record Following(int filter, boolean withEmbedding, boolean joined) {}

  private static String template(Following shape) {
    String search =
        FOLLOWED
            .replace("{query}", SearchSql.QUERY_BY_PROJECT)
            .replace("{columns}", MemoryRow.columns(shape.withEmbedding))
            .replace("{filter}", FilterSql.conditions(shape.filter));
    return Settings.FOLLOWING.around(search, shape.joined);
  }

  static SearchResult<VectorHit> run(
      MemorySession session, SearchRule rule, String projectId, VectorQuery query)
      throws SQLException {
    return new VectorSearch(session, rule, projectId, query).run();
  }

  private SearchResult<VectorHit> run() throws SQLException {
    Way way = rule.way(projectId, query);
    SearchRule.Large known =
        way == Way.BY_PROJECT ? rule.large(projectId, query.filter(), bound) : null;
    boolean large = known != null;
    Plan plan = Plan.of(way, filter, bound, large);
    if (known != null && plan == Plan.ONCE && !known.outOfReach()) {
      SearchResult<VectorHit> result = follow();
      if (result != null) {
        return result;
      }
      rule.fellShort(projectId, query.filter(), bound);
    }
    return choose(large && rule.rare.isKnown(query.filter()) ? Way.EXACTLY : way, plan);
  }

  /** Lets the statement choose. */
  private SearchResult<VectorHit> choose(Way way, Plan plan) throws SQLException {
    boolean counts =
        way == Way.BY_PROJECT
            && !(plan == Plan.FOR_VALUES && rule.wasJustLarge(projectId, query.filter(), bound));
    Shape shape =
        new Shape(
            way,
            filter,
            bound.ofTypes(),
            counts,
            way == Way.BY_PROJECT && rule.rare.mayBe(query.filter()),
            plan,
            session.withEmbeddings(),
            session.joined());
    try (Call call = session.prepare(shape, VectorSearch::template)) {
      FilterSql.bind(query.filter(), call);
      Double maxDistance = query.maxDistance();
      call.text("project", projectId)
          .vector("embedding", query.embedding())
          .integer("depth", query.limit())
          .number("maxDistance", maxDistance == null ? Double.POSITIVE_INFINITY : maxDistance);
      if (shape.way != Way.EXACTLY) {
        call.integer("efSearch", SearchRule.candidates(query));
      }
      if (shape.counts) {
        call.integer("exactUpTo", bound.rows());
      }
      if (shape.mayBeRare) {
        call.integer("rareUpTo", RareFilters.UP_TO);
      }
      SearchResult<VectorHit> result = read(shape, call);
      if (result != null) {
        return result;
      }
    }
    return choose(
        rule.rare.isKnown(query.filter()) ? Way.EXACTLY : rule.way(projectId, query),
        Plan.FOR_VALUES);
  }

  /** Follows the index; null where that gives too few rows. */
  private @Nullable SearchResult<VectorHit> follow() throws SQLException {
    Following shape = new Following(filter, session.withEmbeddings(), session.joined());
    try (Call call = session.prepare(shape, VectorSearch::template)) {
      FilterSql.bind(query.filter(), call);
      int candidates = SearchRule.candidates(query);
      ResultSet rows =
          call.text("project", projectId)
              .vector("embedding", query.embedding())
              .integer("depth", query.limit())
              .integer("efSearch", candidates)
              .query(Settings.index(shape.joined));
      Double given = query.maxDistance();
      double maxDistance = given == null ? Double.POSITIVE_INFINITY : given;
      List<VectorHit> hits = new ArrayList<>(Math.min(query.limit(), 100));
      int nearest = 0;
      while (rows.next()) {
        double distance = rows.getDouble(1);
        if (!Double.isNaN(distance)) {
          nearest++;
          if (distance <= maxDistance) {
            hits.add(
                new VectorHit(MemoryRow.read(rows, 2, projectId, session.vectors()), distance));
          }
        }
      }
      hits.sort(NEAREST_FIRST);
      return nearest < query.limit()
          ? null
          : new SearchResult<>(
              hits, SearchStrategy.HNSW_BY_PROJECT, false, candidates, hits.size() < nearest);
    }
  }

  /** Null where the index of a large project gave too few and nothing else was looked at. */
  private @Nullable SearchResult<VectorHit> read(Shape shape, Call call) throws SQLException {
    ResultSet rows = call.query(Settings.index(shape.joined));
    List<VectorHit> hits = new ArrayList<>(Math.min(query.limit(), 100));
    SearchStrategy strategy = SearchStrategy.NONE;
    int nearest = 0;
    while (rows.next()) {
      if (strategy == SearchStrategy.NONE) {
        SearchRule.Indexes there = rule.seen(rows, INDEXES);
        SearchSql.Course course = SearchSql.Course.read(rows, COURSE);
        boolean large = course.many() && there.serve(shape.way);
        strategy = course.strategy(shape.way, there, query.limit());
        nearest = rows.getInt(NEAREST);
        if (shape.counts || (shape.way == Way.BY_PROJECT && !large)) {
          boolean follow = shape.plan != Plan.ONCE || strategy == SearchStrategy.HNSW_BY_PROJECT;
          rule.seen(projectId, query.filter(), bound, large && follow);
        }
        if (shape.mayBeRare && course.many()) {
          rule.rare.seen(query.filter(), course.rare());
        }
        if (shape.plan == Plan.ONCE_FOR_SMALL
            && course.many()
            && course.fromIndex() < query.limit()) {
          return null;
        }
        rule.inVain.seen(projectId, query.filter(), query.limit(), strategy, nearest);
      }
      double distance = rows.getDouble(DISTANCE);
      if (!rows.wasNull()) {
        hits.add(
            new VectorHit(MemoryRow.read(rows, MEMORY, projectId, session.vectors()), distance));
      }
    }
    Integer candidates =
        strategy == SearchStrategy.EXACT ? null : Integer.valueOf(SearchRule.candidates(query));
    return new SearchResult<>(hits, strategy, false, candidates, hits.size() < nearest);
  }
}
