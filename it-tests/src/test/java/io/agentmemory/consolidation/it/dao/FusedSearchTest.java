package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.direction;
import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.FusedHit;
import io.agentmemory.consolidation.dao.FusedQuery;
import io.agentmemory.consolidation.dao.FusionMethod;
import io.agentmemory.consolidation.dao.Headline;
import io.agentmemory.consolidation.dao.SearchResult;
import io.agentmemory.consolidation.dao.SearchStrategy;
import io.agentmemory.consolidation.dao.TextHit;
import io.agentmemory.consolidation.dao.TextQuery;
import io.agentmemory.consolidation.dao.VectorHit;
import io.agentmemory.consolidation.dao.VectorQuery;
import io.agentmemory.consolidation.dao.WordMatch;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FusedSearchTest {
  private static final int DIMENSIONS = 3;
  private static final Embedding EAST = direction(DIMENSIONS, 0);

  @RegisterExtension final TestDatabase database = TestDatabase.withDimensions(DIMENSIONS);

  @BeforeEach
  void fill() {
    add("p", "near", "nothing in common", 10);
    add("p", "both", "red apples and green apples", 20);
    add("p", "words", "apples, red apples, nothing but red apples", 90);
    add("p", "far", "something else", 170);
    add("p", "blind", "a red thing without embedding", null);
    add("q", "other", "red apples in another project", 0);
  }

  private void add(String project, String id, String content, @Nullable Integer degrees) {
    database
        .memories()
        .insert(
            memory(project, content)
                .id(id)
                .embedding(degrees == null ? null : direction(DIMENSIONS, degrees))
                .build());
  }

  private static List<String> ids(SearchResult<FusedHit> result) {
    return result.hits().stream().map(hit -> hit.memory().id()).toList();
  }

  @Test
  void hits_carry_both_ranks_and_both_scores_as_the_searches_alone_give_them() {
    SearchResult<FusedHit> result =
        database.memories().searchFused("p", FusedQuery.of("red apples", EAST, 10));
    assertThat(ids(result)).hasSize(5).startsWith("both");
    assertThat(result.strategy()).isEqualTo(SearchStrategy.EXACT);

    List<VectorHit> byVector =
        database.memories().searchByVector("p", VectorQuery.of(EAST, 10)).hits();
    List<TextHit> byText =
        database
            .memories()
            .searchByText("p", TextQuery.of("red apples", 10).withMatch(WordMatch.ANY_WORD))
            .hits();
    Map<String, FusedHit> fused =
        result.hits().stream()
            .collect(Collectors.toMap(hit -> hit.memory().id(), Function.identity()));
    for (int i = 0; i < byVector.size(); i++) {
      FusedHit hit = fused.get(byVector.get(i).memory().id());
      assertThat(hit.vectorRank()).isEqualTo(i + 1);
      assertThat(hit.distance()).isEqualTo(byVector.get(i).distance());
      assertThat(hit.similarity()).isEqualTo(byVector.get(i).similarity());
    }
    for (int i = 0; i < byText.size(); i++) {
      FusedHit hit = fused.get(byText.get(i).memory().id());
      assertThat(hit.textRank()).isEqualTo(i + 1);
      assertThat(hit.textScore()).isEqualTo(byText.get(i).score());
    }
    assertThat(fused.get("near").textRank()).isNull();
    assertThat(fused.get("near").textScore()).isZero();
    assertThat(fused.get("blind").vectorRank()).isNull();
    assertThat(fused.get("blind").distance()).isNull();
    assertThat(fused.get("blind").similarity()).isNull();
  }

  @Test
  void the_score_is_the_weighted_mean_of_the_squared_text_score_and_the_damped_similarity() {
    List<FusedHit> hits =
        database
            .memories()
            .searchFused(
                "p", FusedQuery.of("red apples", EAST, 10).withTextWeight(0.3).withLengthDamping(3))
            .hits();
    Map<String, Integer> words = Map.of("near", 2, "both", 3, "words", 3, "far", 2, "blind", 4);
    Map<String, Double> closeness = new HashMap<>();
    for (FusedHit hit : hits) {
      Double similarity = hit.similarity();
      if (similarity != null) {
        double length = words.get(hit.memory().id());
        closeness.put(hit.memory().id(), similarity * length / (length + 3));
      }
    }
    assertThat(closeness).hasSize(4);
    double bestText = hits.stream().mapToDouble(FusedHit::textScore).max().orElseThrow();
    double nearest = Collections.max(closeness.values());
    double farthest = Collections.min(closeness.values());
    for (FusedHit hit : hits) {
      Double own = closeness.get(hit.memory().id());
      double byVector = own == null ? 0 : (own - farthest) / (nearest - farthest);
      double byText = hit.textScore() / bestText;
      assertThat(hit.score()).isEqualTo(0.3 * byText * byText + 0.7 * byVector, within(1e-6));
    }
    assertThat(hits.stream().map(FusedHit::score).toList())
        .isSortedAccordingTo((a, b) -> Double.compare(b, a));
  }

  @Test
  void reciprocal_ranks_are_fused_by_ranks_alone() {
    List<FusedHit> hits =
        database
            .memories()
            .searchFused(
                "p",
                FusedQuery.of("red apples", EAST, 10)
                    .withMethod(FusionMethod.RECIPROCAL_RANK)
                    .withTextWeight(0.5))
            .hits();
    assertThat(hits).hasSize(5);
    for (FusedHit hit : hits) {
      Integer vectorRank = hit.vectorRank();
      Integer textRank = hit.textRank();
      double expected =
          (vectorRank == null ? 0 : 0.5 / (60 + vectorRank))
              + (textRank == null ? 0 : 0.5 / (60 + textRank));
      assertThat(hit.score()).isEqualTo(expected, within(1e-9));
    }
  }

  @Test
  void headlines_mark_the_words_of_the_hits() {
    List<FusedHit> hits =
        database
            .memories()
            .searchFused(
                "p", FusedQuery.of("red apples", EAST, 10).withHeadline(new Headline("<", ">")))
            .hits();
    assertThat(hits.get(0).headline()).isEqualTo("<red> <apples> and green <apples>");
  }

  @ParameterizedTest
  @EnumSource(FusionMethod.class)
  void weights_next_to_zero_and_one_serve_as_any_others(FusionMethod method) {
    FusedQuery query = FusedQuery.of("red apples", EAST, 2).withMethod(method);
    for (double weight : new double[] {Double.MIN_VALUE, 1e-100, Math.nextDown(1.0)}) {
      assertThat(ids(database.memories().searchFused("p", query.withTextWeight(weight))))
          .as("weight %s", weight)
          .hasSize(2);
    }
  }

  @Test
  void weights_of_zero_and_one_leave_the_order_to_one_search() {
    FusedQuery query = FusedQuery.of("red apples", EAST, 2);
    assertThat(
            ids(database.memories().searchFused("p", query.withTextWeight(0).withLengthDamping(0))))
        .containsExactly("near", "both");
    assertThat(ids(database.memories().searchFused("p", query.withTextWeight(1))).get(0))
        .isEqualTo(
            database
                .memories()
                .searchByText("p", TextQuery.of("red apples", 1).withMatch(WordMatch.ANY_WORD))
                .hits()
                .get(0)
                .memory()
                .id());
  }

  @Test
  void a_shallow_search_scores_all_candidates_by_both() {
    List<FusedHit> hits =
        database
            .memories()
            .searchFused("p", FusedQuery.of("red apples", EAST, 1).withDepth(1))
            .hits();
    assertThat(hits).hasSize(1);
    FusedHit words =
        database
            .memories()
            .searchFused("p", FusedQuery.of("apples", EAST, 1).withDepth(1).withTextWeight(1))
            .hits()
            .get(0);
    assertThat(words.textRank()).isEqualTo(1);
    assertThat(words.vectorRank()).isNull();
    assertThat(words.distance()).isNotNull();
  }

  @Test
  void with_stop_words_only_the_vector_decides_and_that_is_said() {
    SearchResult<FusedHit> result =
        database
            .memories()
            .searchFused("p", FusedQuery.of("the of", EAST, 10).withLengthDamping(0));
    assertThat(ids(result)).containsExactly("near", "both", "words", "far");
    assertThat(result.onlyStopWords()).isTrue();
  }

  @Test
  void without_a_match_in_either_way_there_are_no_hits() {
    assertThat(database.memories().searchFused("r", FusedQuery.of("apples", EAST, 10)).hits())
        .isEmpty();
    add("s", "blind only", "apples", null);
    FusedHit only =
        database.memories().searchFused("s", FusedQuery.of("apples", EAST, 10)).hits().get(0);
    assertThat(only.score()).isEqualTo(0.4, within(1e-6));
  }

  @Test
  void equal_scores_come_in_order_of_their_ids() {
    for (String id : List.of("c", "a", "b")) {
      add("t", id, "the same text", 45);
    }
    assertThat(ids(database.memories().searchFused("t", FusedQuery.of("text", EAST, 10))))
        .containsExactly("a", "b", "c");
  }
}
