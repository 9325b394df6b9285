package io.agentmemory.consolidation.bench;

import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What the library costs over the bare SELECT, which pgbench sends. */
final class OverheadSection {
  private static final int CLIENTS = 4;
  private static final double ALLOWED_MS = 0.15;
  private static final double WANTED_RATE = 0.9;
  private static final double RECALL_MARGIN = 0.005;

  private final Bench bench;
  private final List<Question> questions;

  OverheadSection(Bench bench) throws Exception {
    this.bench = bench;
    this.questions = bench.corpus().questions();
  }

  void run() throws Exception {
    bench
        .report()
        .text(
            "The bare SELECT reads the same columns, by `pgbench -M prepared`: the vector by a"
                + " sub-select, settings as options of the connection, p50 from its log. All rows"
                + " are in one project; the SELECT is the plain HNSW search of the least effort"
                + " that finds as much as the library by default. In the project of "
                + "100 rows (of 50,000) it is the exact search.");
    Table table =
        new Table(
            "",
            "SELECT",
            "pgbench p50 ms",
            "ours p50 ms",
            "more ms",
            "pgbench 1/s, 4 clients",
            "ours 1/s, 4 clients",
            "share");
    try {
      OurStore all = bench.inOneProject();
      compare(table, "all rows in one project", all, 0, pointLike(all));
      OurStore projects = bench.inProjects();
      int[] measured = projects.data().measured();
      int small = measured[measured.length - 3];
      compare(table, "a small project", projects, small, new GridPoint(GridPoint.Kind.EXACT, 0));
    } catch (UncheckedIOException e) {
      bench.report().skipped("overhead: pgbench does not run: " + e.getMessage());
      return;
    }
    bench.report().table(table);
  }

  private GridPoint pointLike(OurStore store) throws Exception {
    Truth truth = Truth.of(store.data(), 0, false, questions);
    Contender ours = new OurSearch(store.consolidation(), 0, false).vector("ours");
    double wanted = recall(ours, truth) - RECALL_MARGIN;
    GridPoint point = new GridPoint(GridPoint.Kind.EXACT, 0);
    for (GridPoint next : GridPoint.all(bench.settings())) {
      if (next.kind() == GridPoint.Kind.HNSW) {
        RawSearch raw = new RawSearch(store, next, 0, false);
        double recall = recall(raw, truth);
        raw.close();
        point = next;
        if (recall >= wanted) {
          return point;
        }
      }
    }
    return point;
  }

  private double recall(Contender contender, Truth truth) throws Exception {
    double sum = 0;
    for (Question question : questions) {
      sum += truth.recall(question, contender.ask(question));
    }
    return sum / questions.size();
  }

  private void compare(Table table, String what, OurStore store, int project, GridPoint point)
      throws Exception {
    bench.log().say("overhead: " + what + ", " + point);
    questionsTable(store);
    Contender ours = new OurSearch(store.consolidation(), project, false).vector("ours");
    Clients clients = new Clients(bench.settings());
    List<Double> bareTimes = new ArrayList<>();
    List<Double> ourTimes = new ArrayList<>();
    List<Double> bareRates = new ArrayList<>();
    List<Double> ourRates = new ArrayList<>();
    int executions = bench.settings().quick() ? 50 : 500;
    try (Pgbench pgbench = new Pgbench(store, point, project, questions.size())) {
      p50(ours, executions);
      for (int round = 0; round < bench.settings().rounds(); round++) {
        boolean oursFirst = round % 2 == 0;
        for (boolean own : new boolean[] {oursFirst, !oursFirst}) {
          if (own) {
            ourTimes.add(p50(ours, executions));
            ourRates.add(clients.rate(ours, questions, CLIENTS));
          } else {
            bareTimes.add(pgbench.p50(executions));
            bareRates.add(pgbench.rate(CLIENTS, bench.settings().clientSeconds()));
          }
        }
      }
    }
    Spread bare = Spread.of(bareTimes);
    Spread own = Spread.of(ourTimes);
    Spread bareRate = Spread.of(bareRates);
    Spread ownRate = Spread.of(ourRates);
    double more = own.median() - bare.median();
    double share = ownRate.median() / bareRate.median();
    table.row(what, point, bare, own, more, bareRate, ownRate, share);
    bench
        .report()
        .verdict(
            "over the bare SELECT, p50, " + what,
            "≤ 0.15 ms more",
            Spread.number(more) + " ms",
            more <= ALLOWED_MS);
    bench
        .report()
        .verdict(
            "over the bare SELECT, 4 clients, " + what,
            "≥ 0.9 of its throughput",
            Spread.number(share),
            share >= WANTED_RATE);
  }

  private double p50(Contender contender, int executions) throws Exception {
    double[] times = new double[executions];
    for (int i = 0; i < executions; i++) {
      Question question = questions.get(i % questions.size());
      long start = System.nanoTime();
      contender.ask(question);
      times[i] = (System.nanoTime() - start) / 1e6;
    }
    return Spread.percentile(times, 50);
  }

  private void questionsTable(OurStore store) throws Exception {
    try (Connection connection = store.connect()) {
      MemoriesTable.execute(connection, "drop table if exists questions");
      MemoriesTable.execute(connection, "create table questions (n int primary key, v vector)");
      String insert = "insert into questions values (?, cast(? as vector))";
      try (PreparedStatement statement = connection.prepareStatement(insert)) {
        for (Question question : questions) {
          statement.setInt(1, question.number());
          statement.setString(2, Arrays.toString(question.vector()));
          statement.addBatch();
        }
        statement.executeBatch();
      }
      MemoriesTable.execute(connection, "vacuum (analyze) questions");
    }
  }
}
