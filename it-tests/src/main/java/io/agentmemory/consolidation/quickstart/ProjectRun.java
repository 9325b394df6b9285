package io.agentmemory.consolidation.quickstart;

import io.agentmemory.consolidation.dao.AbstractionLevel;
import io.agentmemory.consolidation.dao.AlreadyConsolidatedException;
import io.agentmemory.consolidation.dao.ConsolidatedMemory;
import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationJob;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.JobStatus;
import io.agentmemory.consolidation.dao.NewJob;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.Page;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.dao.Sources;
import io.agentmemory.consolidation.dao.TaskMemory;
import io.agentmemory.consolidation.dao.TriggerType;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import javax.sql.DataSource;

/**
 * Consolidates one project, as a worker of an application would: claims a job, finds groups of
 * memories that say the same, makes one memory of each and completes the job.
 */
final class ProjectRun {
  /** So many memories are compared with each other at once. */
  private static final int BATCH = 1_000;

  private final DataSource dataSource;
  private final Consolidation consolidation;
  private final Embedder embedder;
  private final double similarity;
  private final Timings timings;
  private final String projectId;

  ProjectRun(
      DataSource dataSource,
      Consolidation consolidation,
      Embedder embedder,
      double similarity,
      Timings timings,
      String projectId) {
    this.dataSource = dataSource;
    this.consolidation = consolidation;
    this.embedder = embedder;
    this.similarity = similarity;
    this.timings = timings;
    this.projectId = projectId;
  }

  /** Does what there is to do. */
  ProjectReport run() throws SQLException {
    ConsolidationJob job = claim();
    try {
      return work(job);
    } catch (SQLException | RuntimeException e) {
      try {
        consolidation.jobs().fail(job.lease(), e.toString());
      } catch (RuntimeException failed) {
        e.addSuppressed(failed);
      }
      throw e;
    }
  }

  /**
   * Calls off what an interrupted run has left behind, since nobody else works here, and claims the
   * job that waits, if need be a new one.
   */
  private ConsolidationJob claim() {
    consolidation
        .jobs()
        .list(projectId, JobStatus.RUNNING, PageRequest.first(100))
        .items()
        .forEach(job -> consolidation.jobs().cancel(projectId, job.id()));
    ConsolidationJob job =
        consolidation
            .jobs()
            .enqueueUnlessActive(
                NewJob.builder(projectId, TriggerType.MANUAL)
                    .scope("{\"similarity\": %s}".formatted(similarity))
                    .triggeredBy("quickstart")
                    .build());
    return consolidation.jobs().claimJob(projectId, job.id()).orElseThrow();
  }

  private ProjectReport work(ConsolidationJob job) throws SQLException {
    List<Note> notes = timings.time("read what is not consolidated", this::unconsolidated);

    List<Digest> digests = timings.time("find groups", () -> digests(notes));
    consolidation
        .jobs()
        .beginPhase(job.lease(), "cluster", "{\"groups\": %d}".formatted(digests.size()));

    List<Embedding> embeddings = new ArrayList<>();
    if (!digests.isEmpty()) {
      List<String> texts = digests.stream().map(Digest::content).toList();
      embeddings.addAll(
          timings.time("embed the consolidated", () -> embedder.embed(projectId, texts)));
    }
    consolidation
        .jobs()
        .beginPhase(job.lease(), "embed", "{\"embedded\": %d}".formatted(embeddings.size()));

    List<ConsolidatedMemory> made =
        timings.time("consolidate", () -> consolidate(job, digests, embeddings));
    int consolidated = made.stream().mapToInt(ConsolidatedMemory::sourceCount).sum();
    ConsolidationJob completed =
        consolidation
            .jobs()
            .complete(
                job.lease(),
                "{\"task_memories\": %d, \"consolidated\": %d, \"memories\": %d, \"left\": %d}"
                    .formatted(
                        notes.size(), consolidated, made.size(), notes.size() - consolidated));
    return new ProjectReport(completed, notes.size(), made);
  }

  private List<Note> unconsolidated() {
    List<Note> notes = new ArrayList<>();
    PageRequest next = PageRequest.first(BATCH);
    while (next != null) {
      Page<TaskMemory> page = consolidation.taskMemories().unconsolidated(projectId, next);
      for (TaskMemory memory : page.items()) {
        if (memory.embedding() != null) {
          notes.add(
              new Note(
                  memory.id(),
                  Objects.requireNonNull(memory.text()),
                  Objects.requireNonNull(memory.type()),
                  Objects.requireNonNullElse(memory.time(), Instant.EPOCH),
                  memory.embedding()));
        }
      }
      next = page.next();
    }
    return notes;
  }

  private List<Digest> digests(List<Note> notes) {
    List<Digest> digests = new ArrayList<>();
    for (int from = 0; from < notes.size(); from += BATCH) {
      List<Note> batch = notes.subList(from, Math.min(notes.size(), from + BATCH));
      for (List<Note> group : AverageLinkage.of(batch, Note::embedding, similarity)) {
        if (group.size() > 1) {
          digests.add(Digest.of(group, batch));
        }
      }
    }
    return digests;
  }

  /**
   * Writes the memories and records the phase in one transaction: all of it happens, or nothing.
   */
  private List<ConsolidatedMemory> consolidate(
      ConsolidationJob job, List<Digest> digests, List<Embedding> embeddings) throws SQLException {
    List<ConsolidatedMemory> made = new ArrayList<>();
    try (Connection connection = dataSource.getConnection()) {
      connection.setAutoCommit(false);
      Consolidation transaction = consolidation.joining(connection);
      if (!transaction.jobs().beginPhase(job.lease(), "consolidate", "{}")) {
        return made; // an earlier try of the job has done it
      }
      for (int i = 0; i < digests.size(); i++) {
        Digest digest = digests.get(i);
        NewMemory memory =
            NewMemory.builder(projectId, digest.type(), AbstractionLevel.CONCRETE, digest.content())
                .embedding(embeddings.get(i))
                .confidence(digest.likeness())
                .tags(digest.tags())
                .consolidationMethod(Digest.METHOD)
                .build();
        try {
          made.add(transaction.consolidate(memory, Sources.ofTaskMemories(digest.sources())));
        } catch (AlreadyConsolidatedException e) {
          // Another worker was faster with one of the sources; the others wait for the next run.
        }
      }
      connection.commit();
    }
    return made;
  }
}
