package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.agentmemory.consolidation.dao.ConsolidatedMemory;
import io.agentmemory.consolidation.dao.InvalidInputException;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.OnLineage;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.dao.PairQuery;
import io.agentmemory.consolidation.dao.SearchStrategy;
import io.agentmemory.consolidation.dao.SimilarPair;
import io.agentmemory.consolidation.dao.SimilarPairs;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Near-duplicates of a project, in a small one by comparison, in a large one by the index. */
class SimilarPairsTest {
  @RegisterExtension static final TestDatabase database = NearbyRows.database();

  /** What all pages together give. */
  private static final class Walk {
    final List<SimilarPair> pairs = new ArrayList<>();
    final List<String> cut = new ArrayList<>();
    final Set<SearchStrategy> strategies = EnumSet.noneOf(SearchStrategy.class);
    int pages;

    Walk(String project, PairQuery query, int pageSize) {
      PageRequest page = PageRequest.first(pageSize);
      while (page != null) {
        SimilarPairs found = database.memories().similarPairs(project, query, page);
        pairs.addAll(found.pairs());
        cut.addAll(found.cutIds());
        strategies.addAll(found.strategies());
        pages++;
        page = found.next();
      }
    }

    Set<String> keys() {
      Set<String> keys = new HashSet<>();
      pairs.forEach(pair -> keys.add(key(pair.leftId(), pair.rightId())));
      assertThat(keys).as("each pair once").hasSameSizeAs(pairs);
      return keys;
    }
  }

  private static String key(String left, String right) {
    return left + " " + right;
  }

  /** By comparing all with all in the application. */
  private static Set<String> compared(String project, double minSimilarity, MemoryFilter filter) {
    List<ConsolidatedMemory> all =
        database.memories().withEmbeddings().export(project, Stream::toList).stream()
            .filter(memory -> filter.types().isEmpty() || filter.types().contains(memory.type()))
            .filter(memory -> memory.embedding() != null)
            .toList();
    Set<String> keys = new HashSet<>();
    for (ConsolidatedMemory left : all) {
      for (ConsolidatedMemory right : all) {
        if (left.id().compareTo(right.id()) < 0
            && Objects.requireNonNull(left.embedding())
                    .cosineSimilarity(Objects.requireNonNull(right.embedding()))
                >= minSimilarity) {
          keys.add(key(left.id(), right.id()));
        }
      }
    }
    return keys;
  }

  @Test
  void a_small_projects_pairs_are_those_that_comparing_all_with_all_finds() {
    for (double similarity : new double[] {0.99, 0.9, 0.7}) {
      Walk walk = new Walk("small", PairQuery.of(similarity).withMostNeighbours(1_000), 100);
      assertThat(walk.keys())
          .isNotEmpty()
          .isEqualTo(compared("small", similarity, MemoryFilter.none()));
      assertThat(walk.cut).isEmpty();
      assertThat(walk.strategies).containsExactly(SearchStrategy.EXACT);
      assertThat(walk.pairs).allMatch(pair -> pair.similarity() >= similarity - 1e-6);
    }
  }

  @Test
  void a_large_projects_pairs_come_by_the_index_and_as_good_as_all_of_them() {
    PairQuery query = PairQuery.of(0.97);
    Walk walk = new Walk("large", query, 1_000);
    Walk exact = new Walk("large", query.exactly(), 1_000);
    assertThat(walk.strategies)
        .contains(SearchStrategy.HNSW_BY_PROJECT)
        .doesNotContain(SearchStrategy.HNSW);
    assertThat(exact.strategies).containsExactly(SearchStrategy.EXACT);
    Set<String> common = walk.keys();
    assertThat(exact.keys()).containsAll(common);
    common.retainAll(exact.keys());
    assertThat((double) common.size() / exact.pairs.size())
        .as("recall of %d pairs", exact.pairs.size())
        .isGreaterThanOrEqualTo(0.99);
    assertThat(walk.cut).isEmpty();
  }

  @Test
  void pages_are_cut_between_memories_and_their_size_changes_nothing() {
    PairQuery query = PairQuery.of(0.9);
    Walk whole = new Walk("small", query, 1_000);
    Walk pages = new Walk("small", query, 7);
    assertThat(whole.pages).isEqualTo(1);
    assertThat(pages.pages).isEqualTo(300 / 7 + 1);
    assertThat(pages.pairs).isEqualTo(whole.pairs);
    assertThat(whole.pairs)
        .isSortedAccordingTo(
            Comparator.comparing(SimilarPair::leftId)
                .thenComparing(Comparator.comparing(SimilarPair::similarity).reversed()));
    assertThat(new Walk("nobody's", query, 7).pairs).isEmpty();
  }

  @Test
  void a_memory_with_more_neighbours_than_the_query_allows_is_told() {
    Walk all = new Walk("large", PairQuery.of(0.9999), 1_000);
    assertThat(all.keys().stream().filter(key -> key.startsWith("crowd"))).hasSize(40 * 39 / 2);
    assertThat(all.cut).isEmpty();

    Walk few = new Walk("large", PairQuery.of(0.9999).withMostNeighbours(15), 1_000);
    assertThat(few.cut).hasSize(40).allMatch(id -> id.startsWith("crowd"));
    assertThat(all.keys()).containsAll(few.keys());

    Walk exactlyFew = new Walk("large", PairQuery.of(0.9999).withMostNeighbours(15).exactly(), 9);
    assertThat(exactlyFew.cut)
        .as("those that have more than 15 after them")
        .hasSize(40 - 16)
        .allMatch(id -> id.startsWith("crowd"));
  }

  @Test
  void a_filter_holds_on_both_sides() {
    MemoryFilter warnings = MemoryFilter.none().types(MemoryType.WARNING);
    for (String project : List.of("small", "large")) {
      assertThat(new Walk(project, PairQuery.of(0.9).withFilter(warnings), 500).keys())
          .isNotEmpty()
          .isEqualTo(compared(project, 0.9, warnings));
    }
  }

  @Test
  void memories_that_others_were_consolidated_from_are_left_out_on_either_side() {
    Walk all = new Walk("small", PairQuery.of(0.99), 100);
    SimilarPair first = all.pairs.get(0);
    SimilarPair last = all.pairs.get(all.pairs.size() - 1);
    database
        .memories()
        .insert(
            Samples.memory("small", "both")
                .id("both")
                .sourceMemoryIds(List.of(first.leftId(), last.rightId()))
                .build());
    try {
      Walk fewer = new Walk("small", PairQuery.of(0.99).amongUnconsolidated(), 100);
      assertThat(fewer.pairs).doesNotContain(first, last);
      assertThat(all.pairs).containsAll(fewer.pairs);
      assertThat(new Walk("small", PairQuery.of(0.99), 100).pairs).isEqualTo(all.pairs);
    } finally {
      database.memories().delete("small", "both", OnLineage.DETACH);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void a_pair_is_found_in_a_crowd_that_others_were_consolidated_from(boolean exactly) {
    database
        .memories()
        .insert(
            Samples.memory("large", "of the crowd")
                .id("of the crowd")
                .sourceMemoryIds(
                    IntStream.range(4001, 4039).mapToObj(number -> "crowd" + number).toList())
                .build());
    try {
      PairQuery query = PairQuery.of(0.9999).withMostNeighbours(1).amongUnconsolidated();
      Walk walk = new Walk("large", exactly ? query.exactly() : query, 1_000);
      assertThat(walk.keys()).contains(key("crowd4000", "crowd4039"));
      assertThat(walk.keys()).filteredOn(key -> key.contains("crowd")).hasSize(1);
      assertThat(walk.cut).isEmpty();
    } finally {
      database.memories().delete("large", "of the crowd", OnLineage.DETACH);
    }
  }

  @Test
  void what_cannot_be_asked_for_is_refused() {
    refused(() -> PairQuery.of(1.1), "minSimilarity must be above -1");
    refused(() -> PairQuery.of(Double.NaN), "minSimilarity must be above -1");
    refused(
        () -> PairQuery.of(0.9).withMostNeighbours(1_001),
        "mostNeighbours must be between 1 and 1,000");
    refused(
        () -> database.memories().similarPairs("p", PairQuery.of(0.9), PageRequest.first(1_001)),
        "page.size must be at most 1,000 at a time");
    refused(
        () ->
            database
                .memories()
                .similarPairs(
                    "p", PairQuery.of(0.9).withMostNeighbours(101), PageRequest.first(1_000)),
        "page.size times limit must be at most 100,000");
  }

  private static void refused(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String message) {
    assertThatThrownBy(call)
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(message);
  }

  @Test
  void a_projects_size_is_not_looked_for_in_the_whole_table() throws SQLException {
    try (Plans plans = new Plans(database.connect(""))) {
      plans.connection().setAutoCommit(false);
      try (Statement statement = plans.connection().createStatement()) {
        statement.execute(
            "update pg_class set relallvisible = 0 where oid = 'consolidated_memories'::regclass");
      }
      database
          .consolidation()
          .joining(plans.connection())
          .memories()
          .similarPairs("large", PairQuery.of(0.9), PageRequest.first(10));
      assertThat(plans.take("search.pairs"))
          .contains("idx_cm_project")
          .doesNotContain("Seq Scan on consolidated_memories");
      plans.connection().rollback();
    }
  }
}
