package io.agentmemory.consolidation.dao;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What {@link RareFilters} keeps in memory. */
class KnownFiltersTest {
  private static MemoryFilter withTags(int count) {
    List<String> tags = IntStream.range(0, count).mapToObj(i -> "tag" + i).toList();
    return MemoryFilter.none().anyTag(tags);
  }

  @Test
  void filtersOfFewValuesAreKnownAndThoseOfManyAreNotKept() {
    RareFilters filters = new RareFilters();
    for (int count : new int[] {1, 20, 21, 10_000}) {
      filters.seen(withTags(count), true);
    }
    assertThat(filters.isKnown(withTags(1))).isTrue();
    assertThat(filters.isKnown(withTags(20))).isTrue();
    assertThat(filters.isKnown(withTags(21))).isFalse();
    assertThat(filters.isKnown(withTags(10_000))).isFalse();
    assertThat(filters.mayBe(withTags(21))).isTrue();
  }
}
