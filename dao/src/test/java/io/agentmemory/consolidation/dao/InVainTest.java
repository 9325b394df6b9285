package io.agentmemory.consolidation.dao;

import static io.agentmemory.consolidation.dao.SearchStrategy.EXACT;
import static io.agentmemory.consolidation.dao.SearchStrategy.HNSW_BY_PROJECT;
import static io.agentmemory.consolidation.dao.SearchStrategy.HNSW_THEN_EXACT;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class InVainTest {
  private static final MemoryFilter ALL = MemoryFilter.none();

  private final InVain inVain = new InVain();

  private boolean isKnown() {
    return inVain.isKnown("p", ALL, 10);
  }

  private void seen(SearchStrategy strategy, int nearest) {
    inVain.seen("p", ALL, 10, strategy, nearest);
  }

  @Test
  void of_fewer_rows_than_asked_for_once_is_enough() {
    assertThat(isKnown()).isFalse();
    seen(HNSW_THEN_EXACT, 9);
    assertThat(isKnown()).isTrue();
  }

  @Test
  void of_rows_that_were_too_far_away_it_takes_three_times_in_a_row() {
    seen(HNSW_THEN_EXACT, 10);
    seen(HNSW_THEN_EXACT, 10);
    assertThat(isKnown()).isFalse();
    seen(HNSW_BY_PROJECT, 10);
    seen(HNSW_THEN_EXACT, 10);
    seen(HNSW_THEN_EXACT, 10);
    assertThat(isKnown()).isFalse();
    seen(HNSW_THEN_EXACT, 10);
    assertThat(isKnown()).isTrue();
  }

  @Test
  void what_is_compared_meanwhile_says_nothing_of_the_index() {
    seen(HNSW_THEN_EXACT, 9);
    seen(EXACT, 9);
    assertThat(isKnown()).isTrue();
  }

  @Test
  void another_project_filter_or_limit_is_another_search() {
    seen(HNSW_THEN_EXACT, 9);
    assertThat(inVain.isKnown("q", ALL, 10)).isFalse();
    assertThat(inVain.isKnown("p", ALL, 9)).isFalse();
    assertThat(inVain.isKnown("p", ALL.types(MemoryType.DECISION), 10)).isFalse();
  }
}
