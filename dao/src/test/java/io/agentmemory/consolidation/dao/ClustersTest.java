package io.agentmemory.consolidation.dao;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ClustersTest {

  private static List<Clusters.Found> found(int most, List<SimilarPair> pairs) {
    Clusters clusters = new Clusters(most);
    pairs.forEach(clusters::add);
    assertThat(clusters.pairs()).isEqualTo(pairs.size());
    return clusters.found();
  }

  private static SimilarPair pair(String left, String right, double similarity) {
    return new SimilarPair(left, right, similarity);
  }

  @Test
  void aPairIsAClusterAndNothingIsNone() {
    assertThat(found(20, List.of())).isEmpty();
    assertThat(found(20, List.of(pair("a", "b", 0.9))))
        .containsExactly(new Clusters.Found(List.of("a", "b"), 0.9));
  }

  @Test
  void theSimilarityIsThatOfTheLeastSimilarTwo() {
    assertThat(found(20, List.of(pair("a", "b", 0.99), pair("a", "c", 0.9), pair("b", "c", 0.95))))
        .containsExactly(new Clusters.Found(List.of("a", "b", "c"), 0.9));
  }

  @Test
  void aChainIsCutWhereItIsLeastAlike() {
    assertThat(found(20, List.of(pair("a", "b", 0.91), pair("b", "c", 0.93), pair("c", "d", 0.92))))
        .containsExactly(new Clusters.Found(List.of("b", "c"), 0.93));
  }

  @Test
  void whatIsMoreThanFitsMakesSeveral() {
    List<SimilarPair> pairs = new ArrayList<>();
    for (char left = 'a'; left <= 'j'; left++) {
      for (char right = (char) (left + 1); right <= 'j'; right++) {
        pairs.add(pair("" + left, "" + right, 1));
      }
    }
    assertThat(found(4, pairs))
        .extracting(cluster -> String.join("", cluster.ids()))
        .containsExactly("abcd", "efgh", "ij");
    assertThat(found(10, pairs)).hasSize(1);
  }

  /** Of random graphs, some dense, some sparse. */
  @Test
  void everyTwoOfAClusterAreAPairAndNoTwoClustersCouldBeOne() {
    Random random = new Random(11);
    for (int round = 0; round < 200; round++) {
      int most = 2 + random.nextInt(6);
      double density = random.nextDouble();
      List<SimilarPair> pairs = new ArrayList<>();
      Map<String, Double> similarity = new HashMap<>();
      for (int left = 0; left < 12; left++) {
        for (int right = left + 1; right < 12; right++) {
          if (random.nextDouble() < density) {
            double value = 0.8 + random.nextInt(10) / 50.0; // some are equal
            pairs.add(pair("m" + (10 + left), "m" + (10 + right), value));
            similarity.put("m" + (10 + left) + "m" + (10 + right), value);
          }
        }
      }
      List<Clusters.Found> found = found(most, pairs);
      Collections.shuffle(pairs, random);
      assertThat(found(most, pairs)).isEqualTo(found);

      Set<String> seen = new HashSet<>();
      for (Clusters.Found cluster : found) {
        assertThat(cluster.ids()).hasSizeBetween(2, most).isSorted();
        assertThat(seen.addAll(cluster.ids())).isTrue();
        assertThat(least(cluster.ids(), similarity)).isEqualTo(cluster.similarity());
        for (Clusters.Found other : found) {
          List<String> both = new ArrayList<>(cluster.ids());
          both.addAll(other.ids());
          Collections.sort(both);
          assertThat(cluster.equals(other) || both.size() > most || least(both, similarity) == 0)
              .as("%s and %s could be one", cluster, other)
              .isTrue();
        }
      }
      assertThat(seen).hasSize(found.stream().mapToInt(cluster -> cluster.ids().size()).sum());
    }
  }

  /** The least similarity of two of these; 0 where two are no pair. */
  private static double least(List<String> sorted, Map<String, Double> similarity) {
    double least = 1;
    for (int i = 0; i < sorted.size(); i++) {
      for (int j = i + 1; j < sorted.size(); j++) {
        least = Math.min(least, similarity.getOrDefault(sorted.get(i) + sorted.get(j), 0.0));
      }
    }
    return least;
  }
}
