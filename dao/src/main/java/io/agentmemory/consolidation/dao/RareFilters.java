package io.agentmemory.consolidation.dao;

import java.util.Map;
import java.util.StringJoiner;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Which filters hardly any row passes, so that the index that serves the filter gives all of them
 * sooner than the HNSW index, which would be followed through much of the project in vain.
 *
 * <p>Each of the indexes of revision {@code consolidation_001} tells of the rows of all projects.
 * Rows of a pattern and of a time are counted in them, which at the bound takes 0.2 ms. An index on
 * tags can only be read to its end, so that the planner's statistics tell instead: those of the
 * last {@code ANALYZE}, for the size that the table has now. Without statistics, or where row-level
 * security hides them or would have each row looked at, every filter counts as common. What was
 * found holds for ten seconds; it is no more than a choice between two ways to the same rows.
 * Thread-safe.
 */
final class RareFilters {
  /**
   * Up to so many rows of all projects the other index is the faster one. Measured in processor
   * time of the server: 1,800 rows with a tag, 1,065 of them in a project of 25,000, take 5 ms, and
   * 9 to 11 by the HNSW index; a tenth of that project takes 5 to 6 by the latter; 20 rows of a
   * project of 10,000 take 1 to 2 ms, and 37 to 50 by the HNSW index.
   */
  static final int UP_TO = 2_000;

  private static final long VALID_FOR = TimeUnit.SECONDS.toNanos(10);
  private static final int MOST_KNOWN = 10_000;

  /** Filters of more tags and patterns are not kept: they take too much memory. */
  private static final int MOST_VALUES = 20;

  private static final int SERVED =
      FilterSql.ANY_TAGS | FilterSql.ALL_TAGS | FilterSql.PATTERNS | FilterSql.TIMES;

  /** No more than this are as rare as a tag that is not among the most common ones. */
  private static final String TAGS =
      """
      coalesce((
        select :rareUpTo < (
            select {of}(coalesce(f.frequency, frequencies[cardinality(common) + 1]))
            from unnest(cast(:{tags} as text[])) as asked (tag)
            left join unnest(common, frequencies) as f (tag, frequency) using (tag)
          ) * (1 - null_frac) * {rowsOfTable}
        from pg_catalog.pg_class as held
        cross join (
          select cast(cast(most_common_elems as text) as text[]) as common,
            most_common_elem_freqs as frequencies, null_frac
          from pg_catalog.pg_stats
          where schemaname = {schemaLiteral} and tablename = 'consolidated_memories'
            and attname = 'tags' and not inherited
        ) as statistics
        where held.oid = to_regclass({memoriesLiteral})
      ), true)""";

  /** About how many rows {@code held}, a row of {@code pg_class}, has now; negative if unknown. */
  static final String ROWS_OF_TABLE =
      """
      reltuples / greatest(relpages, 1)
            * (pg_relation_size(held.oid) / cast(current_setting('block_size') as int))\
      """;

  private static final String COUNTED =
      """
      case when row_security_active({memoriesLiteral}) then true
        else exists (select from {memories} where true{conditions} offset :rareUpTo) end""";

  private record Found(boolean rare, long until) {}

  private final Map<MemoryFilter, Found> known = new ConcurrentHashMap<>();

  /**
   * The condition that more than {@code :rareUpTo} rows pass each part that an index serves, which
   * holds without a look where a search does not look.
   */
  static String common(boolean looks, int shape) {
    if (!looks) {
      return "true";
    }
    StringJoiner sql = new StringJoiner("\nand ");
    if ((shape & FilterSql.ANY_TAGS) != 0) {
      sql.add(tags("sum", "anyTags"));
    }
    if ((shape & FilterSql.ALL_TAGS) != 0) {
      sql.add(tags("min", "allTags"));
    }
    for (int part : new int[] {FilterSql.PATTERNS, FilterSql.TIMES}) {
      if ((shape & part) != 0) {
        sql.add(COUNTED.replace("{conditions}", FilterSql.conditions(shape & part)));
      }
    }
    return sql.toString();
  }

  private static String tags(String of, String parameter) {
    return TAGS.replace("{of}", of)
        .replace("{tags}", parameter)
        .replace("{rowsOfTable}", ROWS_OF_TABLE);
  }

  /** Whether a search has to look: its filter was not found to be common in the last seconds. */
  boolean mayBe(MemoryFilter filter) {
    return (FilterSql.shape(filter) & SERVED) != 0 && !isKnown(filter, false);
  }

  /** Whether the filter was found to be rare within the last seconds. */
  boolean isKnown(MemoryFilter filter) {
    return isKnown(filter, true);
  }

  private boolean isKnown(MemoryFilter filter, boolean rare) {
    Found found = known.get(filter);
    return found != null && found.rare == rare && System.nanoTime() - found.until < 0;
  }

  /** Takes note of what a search found. */
  void seen(MemoryFilter filter, boolean rare) {
    if (filter.anyTags().size() + filter.allTags().size() + filter.patternTypes().size()
        > MOST_VALUES) {
      return;
    }
    if (known.size() >= MOST_KNOWN) {
      known.clear();
    }
    known.put(filter, new Found(rare, System.nanoTime() + VALID_FOR));
  }
}
