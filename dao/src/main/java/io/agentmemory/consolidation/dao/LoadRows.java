package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.schema.SchemaOptions;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/** The rows of one load on their way: counted from 1, checked, written. */
final class LoadRows {
  private static final int PROGRESS_EVERY = 10_000;

  private final Iterator<NewMemory> memories;
  private final SchemaOptions options;
  private final LoadListener listener;
  private final RecentIds ids = new RecentIds();
  private final long start = System.nanoTime();
  private long sent;
  private Instant now = Instant.EPOCH;

  /** A row that was looked at and not sent yet. */
  private @Nullable NewMemory ahead;

  /** The project of the first row. */
  private @Nullable String project;

  LoadRows(Iterator<NewMemory> memories, SchemaOptions options, LoadListener listener) {
    this.memories = memories;
    this.options = options;
    this.listener = listener;
  }

  long sent() {
    return sent;
  }

  Duration elapsed() {
    return Duration.ofNanos(System.nanoTime() - start);
  }

  /** Sets the time of rows that bring none; only the first call does. */
  void startAt(Instant time) {
    if (sent == 0) {
      now = time;
    }
  }

  boolean hasNext() {
    try {
      return ahead != null || memories.hasNext();
    } catch (InvalidInputException e) {
      throw numbered(e);
    }
  }

  /** The id of a row that was sent lately. */
  @Nullable String id(long number) {
    return ids.get(number);
  }

  void tell() {
    listener.progress(sent, elapsed());
  }

  void send(CopyStream stream, VectorFormat format, boolean numbered) throws SQLException {
    NewMemory memory = next();
    String id = memory.id() == null ? Ids.next() : memory.id();
    stream.row(LoadSql.COLUMN_COUNT + (numbered ? 1 : 0));
    stream.text(id);
    stream.text(memory.projectId());
    stream.text(memory.content());
    stream.text(memory.type().value());
    stream.integer(memory.abstractionLevel().level());
    stream.text(memory.patternType());
    stream.number(memory.confidence());
    stream.texts(memory.sourceMemoryIds());
    stream.vector(memory.embedding(), format);
    stream.texts(memory.tags());
    stream.text(memory.consolidationMethod());
    stream.time(orNow(memory.createdAt()));
    stream.time(orNow(memory.updatedAt()));
    stream.time(orNow(memory.consolidatedAt()));
    stream.integer(memory.sourceMemoryIds().size());
    stream.integer(memory.reuseCount());
    sent++;
    if (numbered) {
      stream.bigint(sent);
    }
    ids.add(id);
    if (sent % PROGRESS_EVERY == 0) {
      tell();
    }
  }

  /** The project of the next row, which there must be. */
  String project() {
    ahead = next();
    return ahead.projectId();
  }

  private NewMemory next() {
    if (ahead != null) {
      NewMemory memory = ahead;
      ahead = null;
      return memory;
    }
    try {
      NewMemory memory = Checks.notNull("the memory", memories.next());
      MemoryChecks.embedding(memory.embedding(), options);
      if (project == null) {
        project = memory.projectId();
      }
      MemoryChecks.sameProject(project, memory, options);
      return memory;
    } catch (InvalidInputException e) {
      throw numbered(e);
    }
  }

  private InvalidInputException numbered(InvalidInputException e) {
    return new InvalidInputException("memory number " + (sent + 1) + ": " + e.getMessage(), e);
  }

  private Instant orNow(@Nullable Instant time) {
    return time == null ? now : time;
  }
}
