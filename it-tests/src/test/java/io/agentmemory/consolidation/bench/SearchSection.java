package io.agentmemory.consolidation.bench;

import com.zaxxer.hikari.HikariDataSource;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.SearchResult;
import io.agentmemory.consolidation.dao.VectorHit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The search by vector at default settings, beside every point of the grid by plain SQL. */
final class SearchSection {
  private static final String OURS = "Consolidation";

  /** How far the recall of a point of the grid may lie below ours. */
  private static final double RECALL_MARGIN = 0.005;

  private static final double FACTOR = 1.15;
  private static final double CONSTANT_MS = 0.15;

  /** How often a statement is executed on a connection. */
  private final int executions;

  private static final int COMPARED = 50;

  private final Bench bench;
  private final OurStore store;
  private final String prefix;
  private final double wantedRecall;
  private final List<Question> questions;

  /**
   * @param prefix what the names of files and verdicts begin with
   * @param questions how many questions to ask at most
   */
  SearchSection(Bench bench, OurStore store, String prefix, double wantedRecall, int questions)
      throws Exception {
    this.bench = bench;
    this.store = store;
    this.prefix = prefix;
    this.wantedRecall = wantedRecall;
    this.executions = bench.settings().quick() ? 100 : 1_000;
    List<Question> all = bench.corpus().questions();
    this.questions = all.subList(0, Math.min(questions, all.size()));
  }

  /** What one project size gave. */
  private record Size(int rows, Measured ours, Measured best, List<Measured> grid) {
    double limit() {
      return FACTOR * best.ms() + CONSTANT_MS;
    }

    boolean fast() {
      return ours.ms() <= limit();
    }
  }

  void run() throws Exception {
    List<Size> plain = sizes(false);
    List<Size> filtered = sizes(true);
    report(plain, "without a filter");
    report(filtered, "with a filter that keeps 10 % of the project's rows");
    chart(plain);
    executions(false);
    executions(true);
  }

  private List<Size> sizes(boolean filtered) throws Exception {
    List<Size> sizes = new ArrayList<>();
    for (int project : store.data().measured()) {
      int rows = store.data().projectSize(project);
      bench.log().say(prefix + "project of " + rows + (filtered ? " rows, filtered" : " rows"));
      Truth truth = Truth.of(store.data(), project, filtered, questions);
      List<Contender> contenders = new ArrayList<>();
      contenders.add(new OurSearch(store.consolidation(), project, filtered).vector(OURS));
      for (GridPoint point : GridPoint.all(bench.settings())) {
        contenders.add(new RawSearch(store, point, project, filtered));
      }
      try {
        List<Measured> all = new Rounds(bench.settings()).run(contenders, questions, truth);
        Measured ours = all.get(0);
        List<Measured> grid = all.subList(1, all.size());
        Measured best =
            grid.stream()
                .filter(point -> point.recall() >= ours.recall() - RECALL_MARGIN)
                .min(Comparator.comparingDouble(Measured::ms))
                .orElseThrow();
        sizes.add(new Size(rows, ours, best, grid));
      } finally {
        for (Contender contender : contenders) {
          contender.close();
        }
      }
    }
    return sizes;
  }

  private void report(List<Size> sizes, String title) {
    Report report = bench.report();
    report.text(
        "### " + prefix + title.substring(0, 1).toUpperCase(Locale.ROOT) + title.substring(1));
    Table table =
        new Table(
            "rows in the project",
            "recall",
            "rows",
            "p50 ms",
            "p99 ms",
            "fastest of the grid with that recall",
            "its recall",
            "its rows",
            "its p50 ms",
            "ratio",
            "allowed ms",
            "");
    for (Size size : sizes) {
      table.row(
          "%,d".formatted(size.rows),
          recall(size.ours.recall()),
          size.ours.rowsText(),
          size.ours.p50(),
          size.ours.p99(),
          size.best.name(),
          recall(size.best.recall()),
          size.best.rowsText(),
          size.best.p50(),
          size.ours.ms() / size.best.ms(),
          size.limit(),
          Report.mark(size.fast()));
    }
    report.table(table);
    grid(sizes);
    double lowest = sizes.stream().mapToDouble(size -> size.ours.recall()).min().orElseThrow();
    long fast = sizes.stream().filter(Size::fast).count();
    report.verdict(
        prefix + "rows returned, " + title,
        "all there are, at every size",
        sizes.stream().filter(size -> size.ours.complete()).count() + " of " + sizes.size(),
        sizes.stream().allMatch(size -> size.ours.complete()));
    report.verdict(
        prefix + "lowest recall@10, " + title,
        "≥ " + wantedRecall,
        recall(lowest),
        lowest >= wantedRecall);
    report.verdict(
        prefix + "p50 against the grid, " + title,
        "≤ 1.15 × + 0.15 ms at every size",
        fast + " of " + sizes.size() + " sizes",
        fast == sizes.size());
  }

  private void grid(List<Size> sizes) {
    List<String> headers = new ArrayList<>(List.of("recall; p50 ms"));
    sizes.forEach(size -> headers.add("%,d".formatted(size.rows)));
    Table table = new Table(headers.toArray(String[]::new));
    for (int i = 0; i < sizes.get(0).grid.size(); i++) {
      List<Object> cells = new ArrayList<>(List.of(sizes.get(0).grid.get(i).name()));
      for (Size size : sizes) {
        Measured point = size.grid.get(i);
        cells.add(
            recall(point.recall())
                + "; "
                + Spread.number(point.ms())
                + (point.complete() ? "" : " ⚠"));
      }
      table.row(cells.toArray());
    }
    bench.report().text("The whole grid (⚠: returned fewer rows than there are):");
    bench.report().table(table);
  }

  static String recall(double recall) {
    return String.format(Locale.ROOT, "%.3f", recall);
  }

  private void chart(List<Size> sizes) throws Exception {
    List<Integer> rows = sizes.stream().map(Size::rows).toList();
    Map<String, List<Double>> series = new LinkedHashMap<>();
    series.put(OURS, sizes.stream().map(size -> size.ours.ms()).toList());
    series.put("fastest of the grid", sizes.stream().map(size -> size.best.ms()).toList());
    series.put("exact", sizes.stream().map(size -> size.grid.get(0).ms()).toList());
    String name = prefix.isEmpty() ? "search" : "search-large";
    String title = "Ten nearest of a project, p50, by plain SQL and by the library";
    bench.report().chart(title, bench.charts().lines(name, title, "ms", true, rows, series));
  }

  /** The first and the thousandth execution on a new connection, of the same questions. */
  private void executions(boolean filtered) throws Exception {
    Table table =
        new Table(
            "rows in the project" + (filtered ? ", filtered" : ""),
            "first, ms",
            "p50 of the first " + COMPARED,
            "p50 of the last " + COMPARED,
            "recall of the first " + COMPARED,
            "recall of the last " + COMPARED,
            "strategy, first and last");
    boolean same = true;
    for (int project : store.data().measured()) {
      Truth truth = Truth.of(store.data(), project, filtered, questions);
      try (HikariDataSource pool = OurStore.pool(store.database(), 1)) {
        OurSearch search =
            new OurSearch(Consolidation.on(pool, OurStore.OPTIONS), project, filtered);
        double[] times = new double[executions];
        double first = 0;
        double last = 0;
        String strategies = "";
        for (int i = 0; i < executions; i++) {
          Question question = questions.get(i % COMPARED % questions.size());
          long start = System.nanoTime();
          SearchResult<VectorHit> result = search.byVector(question);
          times[i] = (System.nanoTime() - start) / 1e6;
          double recall =
              truth.recall(question, result.hits().stream().map(hit -> hit.memory().id()).toList());
          first += i < COMPARED ? recall / COMPARED : 0;
          last += i >= executions - COMPARED ? recall / COMPARED : 0;
          if (i == 0 || i == executions - 1) {
            strategies += (i == 0 ? "" : ", ") + result.strategy();
          }
        }
        same &= last >= first - RECALL_MARGIN;
        table.row(
            "%,d".formatted(store.data().projectSize(project)),
            times[0],
            Spread.percentile(Arrays.copyOf(times, COMPARED), 50),
            Spread.percentile(Arrays.copyOfRange(times, executions - COMPARED, executions), 50),
            recall(first),
            recall(last),
            strategies);
      }
    }
    bench.report().text("The executions of one statement, " + executions + " on a new connection:");
    bench.report().table(table);
    bench
        .report()
        .verdict(
            prefix
                + "recall on the last of %,d executions".formatted(executions)
                + (filtered ? ", filtered" : ""),
            "as on the first",
            same ? "the same at every size" : "lower at some size",
            same);
  }
}
