package io.agentmemory.consolidation.bench;

/** The sections by name. */
final class Sections {
  private static final double WANTED_RECALL = 0.98;
  private static final double WANTED_RECALL_LARGE = 0.95;
  private static final int QUESTIONS_LARGE = 100;

  private Sections() {}

  static void run(String name, Bench bench) throws Exception {
    switch (name) {
      case "search" -> search(bench);
      case "peers" -> {
        bench.report().section("Beside other libraries");
        new PeersSection(bench).run();
      }
      case "overhead" -> {
        bench.report().section("Over the bare SELECT");
        new OverheadSection(bench).run();
      }
      case "allocation" -> {
        bench.report().section("Allocation");
        new AllocationSection(bench).run();
      }
      case "batch" -> {
        bench.report().section("Many searches at once");
        new BatchSection(bench).run();
      }
      case "fused" -> {
        bench.report().section("Fused search");
        new FusedSection(bench).run();
      }
      case "text" -> {
        bench.report().section("Search by words");
        new TextSection(bench).run();
      }
      case "locomo" -> {
        bench.report().section("LoCoMo");
        new LocomoSection(bench).run();
      }
      case "ingest" -> {
        bench.report().section("Ingest");
        new IngestSection(bench).run();
      }
      case "writes" -> {
        bench.report().section("What writers of jobs and task memories pay");
        new WriteCostSection(bench).run();
      }
      case "jobs" -> {
        bench.report().section("Jobs claimed and completed");
        new JobsSection(bench).run();
      }
      case "rls" -> {
        bench.report().section("Row-level security off and on");
        new RowSecuritySection(bench).run();
      }
      case "upgrade" -> {
        bench.report().section("Upgrade of a busy database");
        new UpgradeSection(bench).run();
      }
      case "large" -> large(bench);
      default -> throw new IllegalArgumentException(name);
    }
  }

  private static void search(Bench bench) throws Exception {
    bench.report().section("Search within a project");
    int questions = bench.settings().questions();
    new SearchSection(bench, bench.inProjects(), "", WANTED_RECALL, questions).run();
  }

  private static void large(Bench bench) throws Exception {
    int rows = bench.settings().largeRows();
    bench.report().section("Search among %,d rows".formatted(rows));
    DataSet data = DataSet.inProjects(bench.corpus(), rows);
    bench
        .report()
        .text(
            "%,d rows: each sentence %d times, its vector perturbed by Gaussian noise."
                .formatted(data.size(), (data.size() - 1) / bench.corpus().size() + 1));
    try (OurStore store = OurStore.load(bench.server(), data, bench.log())) {
      Table builds = new Table("index", "built in seconds");
      store.builds().forEach(builds::row);
      bench.report().table(builds);
      new SearchSection(bench, store, "Large set: ", WANTED_RECALL_LARGE, QUESTIONS_LARGE).run();
    }
  }
}
