package io.agentmemory.consolidation.bench;

import io.agentmemory.consolidation.it.postgres.PostgresServer;
import java.util.Optional;

/** What the sections share: the server, the data, and the stores that several of them search. */
final class Bench implements AutoCloseable {
  private final Settings settings;
  private final Log log;
  private final Report report;
  private final Charts charts;
  private final PostgresServer server;
  private Optional<Corpus> corpus = Optional.empty();
  private Optional<OurStore> inProjects = Optional.empty();
  private Optional<OurStore> inOneProject = Optional.empty();

  Bench(Settings settings, Log log, Report report, PostgresServer server) {
    this.settings = settings;
    this.log = log;
    this.report = report;
    this.charts = new Charts(report.folder());
    this.server = server;
  }

  Settings settings() {
    return settings;
  }

  Log log() {
    return log;
  }

  Report report() {
    return report;
  }

  Charts charts() {
    return charts;
  }

  PostgresServer server() {
    return server;
  }

  Corpus corpus() throws Exception {
    if (corpus.isEmpty()) {
      corpus = Optional.of(Corpus.load(settings, log));
    }
    return corpus.get();
  }

  /** The real sentences in projects of different sizes. */
  OurStore inProjects() throws Exception {
    if (inProjects.isEmpty()) {
      DataSet data = DataSet.inProjects(corpus(), corpus().size());
      inProjects = Optional.of(OurStore.load(server, data, log));
    }
    return inProjects.get();
  }

  /** The real sentences in a single project. */
  OurStore inOneProject() throws Exception {
    if (inOneProject.isEmpty()) {
      DataSet data = DataSet.inOneProject(corpus(), corpus().size());
      inOneProject = Optional.of(OurStore.load(server, data, log));
    }
    return inOneProject.get();
  }

  @Override
  public void close() {
    inProjects.ifPresent(OurStore::close);
    inOneProject.ifPresent(OurStore::close);
  }
}
