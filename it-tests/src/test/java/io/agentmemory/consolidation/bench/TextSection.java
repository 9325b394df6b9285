package io.agentmemory.consolidation.bench;

import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The search by the words of questions in natural language. */
final class TextSection {
  private static final double FIFTEENTH = 1.0 / 15;
  private static final double RARE_MS = 1;

  private final Bench bench;
  private final List<Question> questions;

  TextSection(Bench bench) throws Exception {
    this.bench = bench;
    this.questions = bench.corpus().questions();
  }

  /** What one project size gave. */
  private record Size(String rows, int exact, Measured ours, Measured plain, Measured rare) {
    boolean noSlower() {
      return ours.ms() <= plain.ms();
    }
  }

  void run() throws Exception {
    bench
        .report()
        .text(
            "Questions such as “%s”. Exact: the ten best are those of the full rarity weighting,"
                    .formatted(questions.get(0).text())
                + " every row weighed.");
    List<Size> sizes = new ArrayList<>();
    sizes.add(size(bench.inOneProject(), 0));
    for (int project : bench.inProjects().data().measured()) {
      sizes.add(size(bench.inProjects(), project));
    }
    Table table =
        new Table(
            "rows in the project",
            "exact",
            "p50 ms",
            "p99 ms",
            "OR with ts_rank_cd p50 ms",
            "its p99 ms",
            "share",
            "a rare word p50 ms",
            "");
    for (Size size : sizes) {
      table.row(
          size.rows,
          size.exact + " of " + questions.size(),
          size.ours.p50(),
          size.ours.p99(),
          size.plain.p50(),
          size.plain.p99(),
          size.ours.ms() / size.plain.ms(),
          size.rare.p50(),
          Report.mark(size.noSlower()));
    }
    bench.report().table(table);
    verdicts(sizes);
  }

  private void verdicts(List<Size> sizes) {
    Report report = bench.report();
    Size all = sizes.get(0);
    int exact = sizes.stream().mapToInt(Size::exact).sum();
    int asked = sizes.size() * questions.size();
    report.verdict("text: exact top ten, all sizes", "all", exact + " of " + asked, exact == asked);
    double share = all.ours.ms() / all.plain.ms();
    report.verdict(
        "text: p50 among all rows against OR with ts_rank_cd",
        "≤ 1/15",
        "1/" + Spread.number(1 / share),
        share <= FIFTEENTH);
    long noSlower = sizes.stream().filter(Size::noSlower).count();
    report.verdict(
        "text: p50 against OR with ts_rank_cd at each size",
        "never slower",
        noSlower + " of " + sizes.size() + " sizes",
        noSlower == sizes.size());
    double rare = sizes.stream().mapToDouble(size -> size.rare.ms()).max().orElseThrow();
    report.verdict(
        "text: a rare word in a project, slowest p50",
        "< 1 ms",
        Spread.number(rare) + " ms",
        rare < RARE_MS);
  }

  private Size size(OurStore store, int project) throws Exception {
    int rows = store.data().projectSize(project);
    bench.log().say("text: project of " + rows + " rows");
    OurSearch search = new OurSearch(store.consolidation(), project, false);
    Contender ours = search.text("ours", Settings.K);
    try (Connection connection = store.connect()) {
      WordTruth truth = WordTruth.of(connection, DataSet.projectId(project));
      int exact = 0;
      for (Question question : questions) {
        Set<String> lexemes = WordTruth.lexemes(connection, question.text());
        exact += truth.isExact(lexemes, ours.ask(question)) ? 1 : 0;
      }
      RawText plain = new RawText(store, project);
      Truth none = Truth.of(store.data(), project, false, questions);
      Rounds rounds = new Rounds(bench.settings());
      List<Measured> measured = rounds.run(List.of(ours, plain), questions, none);
      plain.close();
      Question rare = new Question(0, truth.rareLexeme(), questions.get(0).vector());
      Measured rareMeasured =
          rounds.run(List.of(search.text("rare", Settings.K)), List.of(rare, rare), none).get(0);
      return new Size("%,d".formatted(rows), exact, measured.get(0), measured.get(1), rareMeasured);
    }
  }
}
