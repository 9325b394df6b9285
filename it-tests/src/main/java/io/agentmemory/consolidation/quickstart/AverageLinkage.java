package io.agentmemory.consolidation.quickstart;

import io.agentmemory.consolidation.dao.Embedding;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;

/**
 * Groups what is alike: two groups become one as long as the mean cosine similarity between the
 * members of one and of the other reaches a threshold, the most similar groups first (average
 * linkage). Unlike a chain of neighbours this keeps a group together around one subject.
 */
final class AverageLinkage {
  private AverageLinkage() {}

  /** All items in groups, most of them perhaps of one; the largest group first. */
  static <T> List<List<T>> of(List<T> items, Function<T, Embedding> embedding, double threshold) {
    int count = items.size();
    double[][] similarity = new double[count][count];
    for (int i = 0; i < count; i++) {
      for (int j = 0; j < i; j++) {
        double cosine =
            embedding.apply(items.get(i)).cosineSimilarity(embedding.apply(items.get(j)));
        similarity[i][j] = cosine;
        similarity[j][i] = cosine;
      }
    }
    List<List<T>> groups = new ArrayList<>();
    items.forEach(item -> groups.add(new ArrayList<>(List.of(item))));
    List<Integer> left = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      left.add(i);
    }
    while (true) {
      int first = -1;
      int second = -1;
      double best = threshold;
      for (int i : left) {
        for (int j : left) {
          if (j < i && similarity[i][j] >= best) {
            best = similarity[i][j];
            first = j;
            second = i;
          }
        }
      }
      if (first < 0) {
        break;
      }
      int firstSize = groups.get(first).size();
      int secondSize = groups.get(second).size();
      for (int other : left) {
        double mean =
            (similarity[first][other] * firstSize + similarity[second][other] * secondSize)
                / (firstSize + secondSize);
        similarity[first][other] = mean;
        similarity[other][first] = mean;
      }
      groups.get(first).addAll(groups.get(second));
      left.remove((Integer) second);
    }
    Comparator<List<T>> bySize = Comparator.comparingInt(List::size);
    return left.stream().map(groups::get).sorted(bySize.reversed()).toList();
  }
}
