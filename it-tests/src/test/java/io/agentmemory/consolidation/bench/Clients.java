package io.agentmemory.consolidation.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** How many questions a second several clients get answered at the same time. */
final class Clients {
  private final Settings settings;

  Clients(Settings settings) {
    this.settings = settings;
  }

  /** Questions a second of each contender in interleaved rounds, by its name. */
  Map<String, Spread> run(List<? extends Contender> contenders, List<Question> questions, int count)
      throws Exception {
    Map<String, List<Double>> rates = new LinkedHashMap<>();
    contenders.forEach(contender -> rates.put(contender.name(), new ArrayList<>()));
    List<Contender> order = new ArrayList<>(contenders);
    for (int round = 0; round <= settings.rounds(); round++) {
      for (Contender contender : order) {
        double rate = rate(contender, questions, count);
        if (round > 0) {
          rates.get(contender.name()).add(rate);
        }
      }
      Collections.rotate(order, 1);
    }
    Map<String, Spread> results = new LinkedHashMap<>();
    rates.forEach((name, values) -> results.put(name, Spread.of(values)));
    return results;
  }

  double rate(Contender contender, List<Question> questions, int count) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(count);
    try {
      long start = System.nanoTime();
      long end = start + (long) (settings.clientSeconds() * 1e9);
      List<Future<Integer>> clients = new ArrayList<>();
      for (int client = 0; client < count; client++) {
        int first = client * questions.size() / count;
        clients.add(threads.submit(() -> askUntil(end, contender, questions, first)));
      }
      int answered = 0;
      for (Future<Integer> client : clients) {
        answered += client.get();
      }
      return answered / ((System.nanoTime() - start) / 1e9);
    } finally {
      threads.shutdownNow();
    }
  }

  private static int askUntil(long end, Contender contender, List<Question> questions, int first)
      throws Exception {
    int answered = 0;
    while (System.nanoTime() < end) {
      contender.ask(questions.get((first + answered) % questions.size()));
      answered++;
    }
    return answered;
  }
}
