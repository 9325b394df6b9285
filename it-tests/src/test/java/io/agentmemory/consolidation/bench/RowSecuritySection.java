package io.agentmemory.consolidation.bench;

import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.LoadOptions;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.it.postgres.ScratchDatabase;
import io.agentmemory.consolidation.schema.Schema;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Row-level security off and on: two databases with the same rows, the second copied from the first
 * and upgraded, both used by a role as an application has it.
 */
final class RowSecuritySection {
  /** Of the projects by size: half of all rows, and one that is searched without an HNSW index. */
  private static final int[] PROJECTS = {0, 4};

  private static final String TAGS = "array['t' || (random() * 499)::int]";
  private static final String TAG = "t7";
  private static final String INGESTED = "ingested";

  private final Bench bench;
  private final DataSet data;
  private final int ingested;

  RowSecuritySection(Bench bench) throws Exception {
    this.bench = bench;
    boolean quick = bench.settings().quick();
    this.data = DataSet.inProjects(bench.corpus(), quick ? 5_000 : 20_000);
    this.ingested = quick ? 200 : 1_000;
  }

  void run() throws Exception {
    bench
        .report()
        .text(
            ("%,d rows, each with one of 500 tags. Scanned: the indexes of the table that one call"
                    + " of each kind scanned, as the server counts them.")
                .formatted(data.size()));
    try (ScratchDatabase off = load();
        ScratchDatabase on = bench.server().copy(off, "rls")) {
      Schema.on(on.dataSource(), SecuredStore.ON).upgrade();
      try (SecuredStore without = SecuredStore.of(off, SecuredStore.OFF);
          SecuredStore with = SecuredStore.of(on, SecuredStore.ON)) {
        Table searches =
            new Table(
                "rows in the project", "search", "p50 ms off", "on", "scanned off", "scanned on");
        for (int project : PROJECTS) {
          search(searches, project, without, with);
        }
        bench.report().table(searches);
        ingest(without, with);
      }
    }
  }

  /** A database with the rows, and nobody connected to it. */
  private ScratchDatabase load() throws Exception {
    ScratchDatabase database = bench.server().freshDatabase("rls");
    Schema.on(database.dataSource(), SecuredStore.OFF).upgrade();
    try (Connection connection = database.dataSource().getConnection()) {
      MemoriesTable.execute(
          connection,
          """
          create function tagged() returns trigger language plpgsql as
            'begin new.tags := %s; return new; end';
          create trigger tagged before insert on consolidated_memories
            for each row execute function tagged()"""
              .formatted(TAGS.replace("'", "''")));
      MemoriesTable.load(connection, data, bench.log());
      MemoriesTable.execute(connection, "drop function tagged cascade");
    }
    return database;
  }

  private void search(Table table, int project, SecuredStore without, SecuredStore with)
      throws Exception {
    int size = data.projectSize(project);
    bench.log().say("rls: project of " + size + " rows");
    List<Contender> contenders = new ArrayList<>();
    List<Contender> off = contenders(project, without);
    List<Contender> on = contenders(project, with);
    for (int i = 0; i < off.size(); i++) {
      contenders.add(off.get(i));
      contenders.add(on.get(i));
    }
    List<Question> questions = bench.corpus().questions();
    Truth truth = Truth.of(data, project, false, questions);
    List<Measured> measured = new Rounds(bench.settings()).run(contenders, questions, truth);
    for (int i = 0; i < off.size(); i++) {
      table.row(
          "%,d".formatted(size),
          off.get(i).name(),
          measured.get(2 * i).p50(),
          measured.get(2 * i + 1).p50(),
          without.scanned(off.get(i), questions.get(0)),
          with.scanned(on.get(i), questions.get(0)));
    }
  }

  private static List<Contender> contenders(int project, SecuredStore store) {
    OurSearch all = new OurSearch(store.consolidation(), project, false);
    OurSearch tagged = OurSearch.tagged(store.consolidation(), project, TAG);
    return List.of(
        all.vector("vector"),
        tagged.vector("vector, of a tag"),
        all.text("text", Settings.K),
        all.fused("fused"));
  }

  private void ingest(SecuredStore without, SecuredStore with) throws Exception {
    bench.log().say("rls: ingest");
    List<NewMemory> memories = new ArrayList<>();
    for (int row = 0; row < ingested; row++) {
      memories.add(
          NewMemory.builder(INGESTED, data.type(row), AbstractionLevel.CONCRETE, data.content(row))
              .embedding(Embedding.of(data.vector(row)))
              .build());
    }
    List<SecuredStore> order = new ArrayList<>(List.of(without, with));
    List<Double> off = new ArrayList<>();
    List<Double> on = new ArrayList<>();
    for (int round = 0; round < bench.settings().slowRounds(); round++) {
      for (SecuredStore store : order) {
        long start = System.nanoTime();
        store.consolidation().memories().load(memories.iterator(), LoadOptions.defaults());
        (store == without ? off : on).add(ingested / MemoriesTable.seconds(start));
        store.delete(INGESTED);
      }
      Collections.reverse(order);
    }
    bench.report().text("%,d rows loaded under all indexes, rows a second:".formatted(ingested));
    bench.report().table(new Table("off", "on").row(Spread.of(off), Spread.of(on)));
  }
}
