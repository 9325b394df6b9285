package io.agentmemory.consolidation.bench;

import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.MemoryType;
import io.agentmemory.consolidation.dao.NewMemory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.IntStream;

/**
 * The rows: sentences dealt out at random to projects from half of all rows down. A tenth of each
 * project's rows is of one type, for searches with a filter. With more rows than sentences each
 * sentence comes several times, its vector perturbed.
 */
final class DataSet {
  static final MemoryType RARE = MemoryType.WARNING;
  static final MemoryType COMMON = MemoryType.LEARNING;

  /** The sizes of the projects in rows of 50,000. */
  private static final List<Integer> SHARES =
      List.of(25_000, 12_500, 6_250, 3_000, 1_500, 800, 400, 200, 100, 90, 60, 50, 30, 10, 10);

  /** Of these the projects that are measured: no two of nearly the same size. */
  private static final int[] MEASURED = {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 13};

  private static final double WHOLE = 50_000;

  private final Corpus corpus;
  private final int[] projects;
  private final boolean[] rare;
  private final List<int[]> members = new ArrayList<>();

  private DataSet(Corpus corpus, int[] sizes) {
    this.corpus = corpus;
    int size = IntStream.of(sizes).sum();
    projects = new int[size];
    rare = new boolean[size];
    List<Integer> order = new ArrayList<>(IntStream.range(0, size).boxed().toList());
    Collections.shuffle(order, new Random(11));
    int next = 0;
    for (int project = 0; project < sizes.length; project++) {
      int[] rows = new int[sizes[project]];
      for (int i = 0; i < rows.length; i++) {
        rows[i] = order.get(next++);
        projects[rows[i]] = project;
        rare[rows[i]] = i % 10 == 0;
      }
      members.add(rows);
    }
  }

  /** Rows in projects of very different sizes. */
  static DataSet inProjects(Corpus corpus, int rows) {
    int[] sizes =
        SHARES.stream().mapToInt(share -> Math.max(1, (int) (share * (rows / WHOLE)))).toArray();
    return new DataSet(corpus, sizes);
  }

  /** Rows in a single project. */
  static DataSet inOneProject(Corpus corpus, int rows) {
    return new DataSet(corpus, new int[] {rows});
  }

  int size() {
    return projects.length;
  }

  boolean perturbed() {
    return size() > corpus.size();
  }

  /** The numbers of the projects to measure, the largest first. */
  int[] measured() {
    return members.size() == 1 ? new int[] {0} : MEASURED.clone();
  }

  int projectSize(int project) {
    return members.get(project).length;
  }

  static String projectId(int project) {
    return UUID.nameUUIDFromBytes(("project " + project).getBytes(StandardCharsets.UTF_8))
        .toString();
  }

  int projectOf(int row) {
    return projects[row];
  }

  /** The rows of a project, or those of them that the filter lets pass. */
  int[] rows(int project, boolean filtered) {
    return IntStream.of(members.get(project)).filter(row -> !filtered || rare[row]).toArray();
  }

  static UUID id(int row) {
    return new UUID(0x0190_0000_0000_7000L, 0x8000_0000_0000_0000L | row);
  }

  /** The row whose id it is. */
  static int row(String id) {
    return Integer.parseInt(id, id.lastIndexOf('-') + 1, id.length(), 16);
  }

  String content(int row) {
    return corpus.sentence(row % corpus.size());
  }

  MemoryType type(int row) {
    return rare[row] ? RARE : COMMON;
  }

  /** Not to be changed. */
  float[] vector(int row) {
    float[] vector = corpus.vector(row % corpus.size());
    return perturbed() ? Vectors.perturbed(vector, row) : vector;
  }

  NewMemory memory(int row) {
    return NewMemory.builder(
            projectId(projectOf(row)), type(row), AbstractionLevel.CONCRETE, content(row))
        .id(id(row).toString())
        .embedding(Embedding.of(vector(row)))
        .build();
  }
}
