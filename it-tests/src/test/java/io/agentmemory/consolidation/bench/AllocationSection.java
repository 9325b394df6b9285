package io.agentmemory.consolidation.bench;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;

/** How much memory a search allocates in the application, ten hits without embeddings. */
final class AllocationSection {
  private static final double ALLOWED_KIB = 24;
  private static final double KIB = 1_024;

  private final Bench bench;
  private final List<Question> questions;
  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  AllocationSection(Bench bench) throws Exception {
    this.bench = bench;
    this.questions = bench.corpus().questions();
  }

  void run() throws Exception {
    OurStore store = bench.inProjects();
    int project = store.data().measured()[1];
    OurSearch plain = new OurSearch(store.consolidation(), project, false);
    OurSearch filtered = new OurSearch(store.consolidation(), project, true);
    List<Contender> contenders =
        List.of(
            plain.vector("by vector"),
            filtered.vector("by vector, filtered"),
            plain.text("by text", Settings.K),
            plain.fused("fused"));
    Table table = new Table("a search of ten hits", "KiB allocated");
    for (Contender contender : contenders) {
      Spread spread = measure(contender);
      table.row(contender.name(), spread);
      bench
          .report()
          .verdict(
              "allocation of a search: " + contender.name(),
              "< 24 KiB",
              Spread.number(spread.median()) + " KiB",
              spread.median() < ALLOWED_KIB);
    }
    bench.report().table(table);
  }

  private Spread measure(Contender contender) throws Exception {
    bench.log().say("allocation: " + contender.name());
    int calls = bench.settings().quick() ? 50 : 500;
    List<Double> rounds = new ArrayList<>();
    for (int round = 0; round <= bench.settings().rounds(); round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < calls; i++) {
        contender.ask(questions.get(i % questions.size()));
      }
      double each = (threads.getCurrentThreadAllocatedBytes() - before) / KIB / calls;
      if (round > 0) {
        rounds.add(each);
      }
    }
    return Spread.of(rounds);
  }
}
