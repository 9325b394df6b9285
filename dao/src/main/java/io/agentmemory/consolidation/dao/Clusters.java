package io.agentmemory.consolidation.dao;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Makes clusters of similar pairs, by complete linkage: two clusters become one when every member
 * of the one forms a pair with every member of the other, the most similar clusters first. So a
 * chain of memories, each like the next, does not become one cluster, as it would if whatever is
 * connected were taken together; and a pair that the search has missed makes a cluster smaller,
 * never wrong.
 *
 * <p>Pairs are gone through from the most similar to the least. The pair that completes the link
 * between two clusters is the least similar of the link, so this is the moment to join them. The
 * same pairs make the same clusters, whatever order they come in.
 */
final class Clusters {
  /** A cluster, and the similarity of the two members that are least alike. */
  record Found(List<String> ids, double similarity) {}

  private record Edge(int left, int right, double similarity) {}

  private final int mostMembers;
  private final Map<String, Integer> numbers = new HashMap<>();
  private final List<String> ids = new ArrayList<>();
  private final List<Edge> edges = new ArrayList<>();

  Clusters(int mostMembers) {
    this.mostMembers = mostMembers;
  }

  void add(SimilarPair pair) {
    edges.add(new Edge(number(pair.leftId()), number(pair.rightId()), pair.similarity()));
  }

  private int number(String id) {
    Integer number = numbers.putIfAbsent(id, ids.size());
    if (number != null) {
      return number;
    }
    ids.add(id);
    return ids.size() - 1;
  }

  int pairs() {
    return edges.size();
  }

  /** The clusters of two or more, each with its ids in order, in the order of their first ids. */
  List<Found> found() {
    edges.sort(
        Comparator.comparingDouble(Edge::similarity)
            .reversed()
            .thenComparing(edge -> ids.get(edge.left))
            .thenComparing(edge -> ids.get(edge.right)));
    List<Cluster> clusters = new ArrayList<>();
    for (int i = 0; i < ids.size(); i++) {
      clusters.add(new Cluster(i));
    }
    Set<Long> linked = new HashSet<>();
    for (Edge edge : edges) {
      linked.add(link(edge.left, edge.right));
      Cluster left = clusters.get(edge.left);
      Cluster right = clusters.get(edge.right);
      if (left != right
          && left.members.size() + right.members.size() <= mostMembers
          && complete(left, right, linked)) {
        left.members.addAll(right.members);
        left.similarity = edge.similarity;
        right.members.forEach(member -> clusters.set(member, left));
      }
    }
    return clusters.stream()
        .distinct()
        .filter(cluster -> cluster.members.size() > 1)
        .map(cluster -> new Found(sorted(cluster.members), cluster.similarity))
        .sorted(Comparator.comparing(found -> found.ids.get(0)))
        .toList();
  }

  private static boolean complete(Cluster left, Cluster right, Set<Long> linked) {
    for (int one : left.members) {
      for (int other : right.members) {
        if (!linked.contains(link(one, other))) {
          return false;
        }
      }
    }
    return true;
  }

  private static long link(int one, int other) {
    return (long) Math.min(one, other) << 32 | Math.max(one, other);
  }

  private List<String> sorted(List<Integer> members) {
    return members.stream().map(ids::get).sorted().toList();
  }

  private static final class Cluster {
    final List<Integer> members = new ArrayList<>();
    double similarity = 1;

    Cluster(int member) {
      members.add(member);
    }
  }
}
