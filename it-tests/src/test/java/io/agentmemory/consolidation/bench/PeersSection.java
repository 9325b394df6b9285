package io.agentmemory.consolidation.bench;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The search by vector beside the other libraries, as they come from Maven Central. */
final class PeersSection {
  private static final String OURS = "Consolidation";
  private static final String LOWERED = "Consolidation, effort lowered";
  private static final int[] EFFORTS = {
    10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 26, 28, 32, 40, 64, 100
  };
  private static final int CLIENTS = 4;

  /** Up to so many rows in a project more is asked for. */
  private static final int SMALL = 3_000;

  private static final double FASTER_SMALL = 1.5;
  private static final double FASTER_LARGE = 1.2;

  private final Bench bench;
  private final List<Question> questions;

  PeersSection(Bench bench) throws Exception {
    this.bench = bench;
    this.questions = bench.corpus().questions();
  }

  void run() throws Exception {
    DataSet data = bench.inProjects().data();
    bench
        .report()
        .text(
            "HNSW with its defaults everywhere, made by hand for LangChain4j, whose own index is"
                + " IVFFlat. Columns: the project in an indexed column; JSON: in its metadata, the"
                + " default. Spring AI's and LangChain4j's tables hold nothing but what these"
                + " libraries put there. The others search all rows without any filter where ours"
                + " searches the one project that has them all; each answers all questions in each"
                + " round there. Each library has a connection pool of its own: LangChain4j makes"
                + " the connections that it is given send vectors in binary, Spring AI does not.");
    try (PeerStores peers = PeerStores.load(bench.server(), data, questions, bench.log())) {
      allRows(peers);
      byProject(peers);
    }
  }

  /** A contender asked all questions before the rounds, for its recall and about its time. */
  private record Probe(double recall, boolean complete, double ms) {}

  private Probe probe(Contender contender, Truth truth) throws Exception {
    double[] times = new double[questions.size()];
    double recall = 0;
    boolean complete = true;
    for (int i = 0; i < times.length; i++) {
      long start = System.nanoTime();
      List<String> found = contender.ask(questions.get(i));
      times[i] = (System.nanoTime() - start) / 1e6;
      recall += truth.recall(questions.get(i), found);
      complete &= found.size() >= truth.expected();
    }
    return new Probe(recall / times.length, complete, Spread.percentile(times, 50));
  }

  /** Our search with the least effort that finds as much; the default where none does. */
  private Contender lowered(OurSearch search, Truth truth, double recall) throws Exception {
    for (int effort : EFFORTS) {
      Contender contender = search.vectorWithEffort(LOWERED, effort);
      if (probe(contender, truth).recall() >= recall) {
        return contender;
      }
    }
    return search.vector(LOWERED);
  }

  /** The recall of the fastest of those that return all rows; 1 where none does. */
  private double recallOfFastest(List<Contender> rivals, Truth truth) throws Exception {
    List<Probe> probes = new ArrayList<>();
    for (Contender rival : rivals) {
      probes.add(probe(rival, truth));
    }
    return probes.stream()
        .filter(Probe::complete)
        .min(Comparator.comparingDouble(Probe::ms))
        .map(Probe::recall)
        .orElse(1.0);
  }

  private void allRows(PeerStores peers) throws Exception {
    OurStore store = bench.inOneProject();
    Truth truth = Truth.of(store.data(), 0, false, questions);
    OurSearch search = new OurSearch(store.consolidation(), 0, false);
    List<Contender> rivals =
        List.of(
            peers.columns().search(Optional.empty()),
            peers.spring().search(Optional.empty()),
            peers.ivfFlat().search(Optional.empty()));
    double wanted = recallOfFastest(rivals.subList(0, 2), truth);
    Contender lowered = lowered(search, truth, wanted);
    List<Contender> contenders = new ArrayList<>(List.of(search.vector(OURS), lowered));
    contenders.addAll(rivals);
    RawSearch raw = new RawSearch(store, new GridPoint(GridPoint.Kind.HNSW, 40), 0, false);
    List<Contender> withRaw = new ArrayList<>(contenders);
    withRaw.add(raw);
    bench.log().say("peers: all rows in one project");
    List<Measured> measured =
        Rounds.ofAllQuestions(bench.settings()).run(withRaw, questions, truth);
    raw.close();
    bench.log().say("peers: several clients");
    Clients clients = new Clients(bench.settings());
    Map<String, Spread> one = clients.run(contenders, questions, 1);
    Map<String, Spread> four = clients.run(contenders, questions, CLIENTS);
    Table table =
        new Table(
            "all rows in one project",
            "recall",
            "rows",
            "p50 ms",
            "p99 ms",
            "1/s, 1 client",
            "1/s, 4 clients");
    for (Measured result : measured) {
      table.row(
          result.name().equals(raw.name()) ? "raw JDBC, " + raw.name() : result.name(),
          SearchSection.recall(result.recall()),
          result.rowsText(),
          result.p50(),
          result.p99(),
          one.containsKey(result.name()) ? one.get(result.name()) : "-",
          four.containsKey(result.name()) ? four.get(result.name()) : "-");
    }
    bench.report().table(table);
    Measured ours = measured.get(1);
    Measured rival =
        Math.min(measured.get(2).ms(), measured.get(3).ms()) == measured.get(2).ms()
            ? measured.get(2)
            : measured.get(3);
    verdict(
        "all rows in one project: p50 against " + rival.name() + recalls(ours, rival),
        1.35,
        rival.ms() / ours.ms());
    double theirs =
        Math.max(
            four.get(measured.get(2).name()).median(), four.get(measured.get(3).name()).median());
    verdict(
        "all rows in one project: throughput with 4 clients against the faster peer",
        1.6,
        four.get(LOWERED).median() / theirs);
  }

  private static String recalls(Measured ours, Measured rival) {
    return " (recall %s against %s)"
        .formatted(SearchSection.recall(ours.recall()), SearchSection.recall(rival.recall()));
  }

  private void verdict(String what, double wanted, double measured) {
    bench
        .report()
        .verdict(
            what,
            "≥ " + wanted + " times as fast",
            Spread.number(measured) + " times",
            measured >= wanted);
  }

  private void byProject(PeerStores peers) throws Exception {
    OurStore store = bench.inProjects();
    Table table =
        new Table(
            "rows in the project; recall; rows; p50 ms",
            OURS,
            LOWERED,
            peers.columns().name(),
            peers.json().name(),
            peers.spring().name(),
            "faster complete peer",
            "times as fast",
            "wanted",
            "");
    Map<String, List<Double>> times = new LinkedHashMap<>();
    Map<String, List<Double>> rows = new LinkedHashMap<>();
    List<Integer> sizes = new ArrayList<>();
    int compared = 0;
    int met = 0;
    for (int project : store.data().measured()) {
      int size = store.data().projectSize(project);
      bench.log().say("peers: project of " + size + " rows");
      List<Measured> measured = measure(peers, store, project);
      sizes.add(size);
      for (Measured result : measured) {
        if (!result.name().equals(LOWERED)) {
          times.computeIfAbsent(result.name(), name -> new ArrayList<>()).add(result.ms());
          rows.computeIfAbsent(result.name(), name -> new ArrayList<>()).add(result.rows());
        }
      }
      Optional<Measured> rival =
          measured.subList(2, measured.size()).stream()
              .filter(Measured::complete)
              .min(Comparator.comparingDouble(Measured::ms));
      double wanted = size <= SMALL ? FASTER_SMALL : FASTER_LARGE;
      double ratio = rival.map(peer -> peer.ms() / measured.get(1).ms()).orElse(Double.NaN);
      if (rival.isPresent()) {
        compared++;
        met += ratio >= wanted ? 1 : 0;
      }
      List<Object> cells = new ArrayList<>(List.of("%,d".formatted(size)));
      measured.forEach(
          result ->
              cells.add(
                  SearchSection.recall(result.recall())
                      + "; "
                      + result.rowsText()
                      + "; "
                      + result.p50()));
      cells.add(rival.map(Measured::name).orElse("none"));
      cells.add(ratio);
      cells.add(wanted);
      cells.add(rival.isPresent() ? Report.mark(ratio >= wanted) : "");
      table.row(cells.toArray());
    }
    bench.report().table(table);
    bench
        .report()
        .verdict(
            "each project size where a peer returns all rows",
            "≥ 1.5 times as fast up to 3,000 rows, 1.2 above",
            met + " of " + compared + " sizes",
            met == compared);
    String title = "Ten nearest of a project among %,d rows, p50".formatted(store.data().size());
    bench.report().chart(title, bench.charts().lines("peers", title, "ms", true, sizes, times));
    String returned = "Rows returned of ten asked for";
    bench
        .report()
        .chart(returned, bench.charts().lines("peers-rows", returned, "rows", false, sizes, rows));
  }

  /** Ours, ours lowered to the recall of the fastest complete peer, and the peers. */
  private List<Measured> measure(PeerStores peers, OurStore store, int project) throws Exception {
    Truth truth = Truth.of(store.data(), project, false, questions);
    Optional<String> id = Optional.of(DataSet.projectId(project));
    OurSearch search = new OurSearch(store.consolidation(), project, false);
    List<Contender> rivals =
        List.of(peers.columns().search(id), peers.json().search(id), peers.spring().search(id));
    List<Contender> contenders = new ArrayList<>();
    contenders.add(search.vector(OURS));
    contenders.add(lowered(search, truth, recallOfFastest(rivals, truth)));
    contenders.addAll(rivals);
    return new Rounds(bench.settings()).run(contenders, questions, truth);
  }
}
