package io.agentmemory.consolidation.bench;

import java.util.ArrayList;
import java.util.List;

/** The fused search beside its two legs. */
final class FusedSection {
  private static final double ALLOWED = 1.2;

  /** How deep the legs of a fused search of ten go. */
  private static final int DEPTH = 50;

  private final Bench bench;
  private final List<Question> questions;

  FusedSection(Bench bench) throws Exception {
    this.bench = bench;
    this.questions = bench.corpus().questions();
  }

  void run() throws Exception {
    bench.report().text("The legs as searches of their own, for ten and for fifty hits.");
    Table table =
        new Table(
            "rows in the project",
            "vector, 10",
            "text, 10",
            "vector, 50",
            "text, 50",
            "fused p50 ms",
            "share of the legs of 10",
            "share of the legs of 50",
            "");
    int met = size(table, bench.inOneProject(), 0);
    int sizes = 1;
    for (int project : bench.inProjects().data().measured()) {
      met += size(table, bench.inProjects(), project);
      sizes++;
    }
    bench.report().table(table);
    bench
        .report()
        .verdict(
            "fused: p50 against the sum of its two legs of 50",
            "≤ 1.2 times",
            met + " of " + sizes + " sizes",
            met == sizes);
  }

  private int size(Table table, OurStore store, int project) throws Exception {
    int size = store.data().projectSize(project);
    bench.log().say("fused: project of " + size + " rows");
    OurSearch search = new OurSearch(store.consolidation(), project, false);
    List<Contender> contenders =
        List.of(
            search.vector("vector", Settings.K),
            search.text("text", Settings.K),
            search.vector("vector", DEPTH),
            search.text("text", DEPTH),
            search.fused("fused"));
    Truth truth = Truth.of(store.data(), project, false, questions);
    List<Measured> measured = new Rounds(bench.settings()).run(contenders, questions, truth);
    double fused = measured.get(4).ms();
    double deep = fused / (measured.get(2).ms() + measured.get(3).ms());
    List<Object> cells = new ArrayList<>(List.of("%,d".formatted(size)));
    measured.forEach(result -> cells.add(result.p50()));
    cells.add(fused / (measured.get(0).ms() + measured.get(1).ms()));
    cells.add(deep);
    cells.add(Report.mark(deep <= ALLOWED));
    table.row(cells.toArray());
    return deep <= ALLOWED ? 1 : 0;
  }
}
