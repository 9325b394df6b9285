package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.dao.LineageSearch.Direction;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;

/**
 * A project's consolidated memories: in, out, and found again.
 *
 * <p>Every method sees the memories of the project that it is given, and no others. Reads leave the
 * embeddings in the database unless asked to fetch them, see {@link #withEmbeddings}; they work in
 * read-only transactions and on a replica.
 *
 * <p>Immutable and thread-safe. No argument may be null. Arguments are checked before anything is
 * sent, save where a method says otherwise: {@link InvalidInputException}. What the database
 * refuses is a {@link DatabaseException}.
 */
public final class ConsolidatedMemoryDao {
  private final Database database;
  private final boolean withEmbeddings;

  ConsolidatedMemoryDao(Database database) {
    this(database, false);
  }

  private ConsolidatedMemoryDao(Database database, boolean withEmbeddings) {
    this.database = database;
    this.withEmbeddings = withEmbeddings;
  }

  /**
   * The same memories, read with their embeddings.
   *
   * @return a view of this
   */
  public ConsolidatedMemoryDao withEmbeddings() {
    return new ConsolidatedMemoryDao(database, true);
  }

  /**
   * Inserts a memory.
   *
   * @param memory the memory
   * @return the memory as it is in the database, with its id and times
   * @throws DuplicateIdException if its id is taken
   * @throws ContentTooLongException if its content has too many different words for text search
   */
  public ConsolidatedMemory insert(NewMemory memory) {
    check(memory);
    return database
        .of(memory.projectId())
        .write("memories.insert", handle -> insert(handle, memory));
  }

  /** Inserts a memory by a connection in use. */
  ConsolidatedMemory insert(Handle handle, NewMemory memory) throws SQLException {
    check(memory);
    return MemoryInserts.insert(session(handle), memory);
  }

  /**
   * Inserts memories of any projects, all of them or none, in one transaction. Exceptions name the
   * memory that is at fault by its number, from 1. With row-level security they must be of one
   * project.
   *
   * @param memories the memories
   * @return their ids, in the same order
   * @throws DuplicateIdException if one's id is taken
   * @throws ContentTooLongException if one's content has too many different words for text search
   */
  public List<String> insertAll(Collection<NewMemory> memories) {
    Checks.notNull("memories", memories);
    List<NewMemory> copy = MemoryChecks.memories(memories, database.options());
    if (copy.isEmpty()) {
      return List.of();
    }
    String projectId = MemoryChecks.project(copy, database.options());
    Database of = database.options().rowLevelSecurity() ? database.of(projectId) : database;
    return of.transact(
        "memories.insertAll", handle -> MemoryInserts.insertAll(session(handle), copy));
  }

  /**
   * Loads memories of any projects as fast as the server takes them in (binary COPY), in as little
   * memory however many there are: the next is asked for when the one before was sent. They are
   * checked one by one, and exceptions name the memory at fault by its number, from 1. In one
   * transaction all of them are loaded or none, unless {@linkplain LoadOptions#commitEvery the
   * options} say otherwise. Those that bring no times get the time, by the database's clock, at
   * which the load began.
   *
   * <p>With {@linkplain io.agentmemory.consolidation.schema.SchemaOptions#rowLevelSecurity()
   * row-level security} they must be of one project, and go by way of a temporary table, since the
   * server refuses COPY into a table with policies.
   *
   * <p>Needs the privileges INSERT on the table and, to skip or replace and under row-level
   * security, SELECT, UPDATE to replace, and TEMPORARY on the database. A {@linkplain
   * Consolidation#withTimeout timeout} applies to each transaction. What the iterator throws ends
   * the load and is passed on.
   *
   * @param memories the memories; for a stream, {@code stream.iterator()}
   * @param options how to load them
   * @return what was done
   * @throws DuplicateIdException if an id is taken that must not be
   * @throws ContentTooLongException if one's content has too many different words for text search
   * @throws PartialLoadException if a load in several transactions fails after the first
   */
  public LoadResult load(Iterator<NewMemory> memories, LoadOptions options) {
    Checks.notNull("memories", memories);
    Checks.notNull("options", options);
    LoadRows rows = new LoadRows(memories, database.options(), options.listener());
    return new MemoryLoad(database, this::session, options, rows).run();
  }

  /**
   * Reads all memories of a project, with their embeddings, as they are at one moment and in no
   * particular order. They come through a cursor in a transaction of the call's own, a few at a
   * time, and only while the reader runs: when it returns, or throws, the connection goes back. A
   * load into another database, for example, is
   *
   * <pre>{@code
   * memories.export(
   *     "project", all -> other.load(all.map(NewMemory::copyOf).iterator(), options));
   * }</pre>
   *
   * <p>A joined connection must be in a transaction, and is in use while the reader runs.
   *
   * @param projectId the project
   * @param reader given the memories, as a stream that ends with it; not parallel
   * @param <T> what the reader makes of them
   * @return what the reader returned
   */
  public <T extends @Nullable Object> T export(
      String projectId, Function<Stream<ConsolidatedMemory>, T> reader) {
    Checks.id("projectId", projectId);
    Checks.notNull("reader", reader);
    return database
        .of(projectId)
        .fetch(
            "memories.export",
            handle -> new Exported<>(MemoryExport.run(session(handle), projectId, reader)))
        .value();
  }

  /**
   * The memory with an id.
   *
   * @param projectId the project
   * @param id the id
   * @return the memory, empty where the project has none of this id
   */
  public Optional<ConsolidatedMemory> find(String projectId, String id) {
    Checks.id("projectId", projectId);
    Checks.id("id", id);
    return query(projectId, "memories.find", session -> MemoryReads.find(session, projectId, id));
  }

  /**
   * The memories with these ids.
   *
   * @param projectId the project
   * @param ids at most 10,000 ids
   * @return the memories that there are, in the order of the ids
   */
  public List<ConsolidatedMemory> findAll(String projectId, Collection<String> ids) {
    Checks.id("projectId", projectId);
    Set<String> distinct = MemoryChecks.distinctIds(ids);
    if (distinct.isEmpty()) {
      return List.of();
    }
    return query(
        projectId,
        "memories.findAll",
        session -> MemoryReads.findAll(session, projectId, distinct));
  }

  /**
   * A project's memories, the newest first: by the time of their creation, then by their ids. What
   * comes while pages are read is on none of the later pages.
   *
   * @param projectId the project
   * @param filter which of them
   * @param page which page
   * @return the page
   */
  public Page<ConsolidatedMemory> list(String projectId, MemoryFilter filter, PageRequest page) {
    Checks.id("projectId", projectId);
    Checks.notNull("filter", filter);
    Checks.page(page);
    return query(
        projectId, "memories.list", session -> MemoryReads.list(session, projectId, filter, page));
  }

  /**
   * Changes a memory unless somebody else did so meanwhile.
   *
   * @param projectId the project
   * @param id the memory's id
   * @param changes what to change
   * @param expectedUpdatedAt when the memory was changed last, as the caller knows it
   * @return the memory after the change; empty, with nothing changed, where the expectation no
   *     longer holds or the project has no such memory
   * @throws ContentTooLongException if the content has too many different words for text search
   */
  public Optional<ConsolidatedMemory> update(
      String projectId, String id, MemoryUpdate changes, Instant expectedUpdatedAt) {
    Checks.id("projectId", projectId);
    Checks.id("id", id);
    Checks.notNull("changes", changes);
    Checks.time("expectedUpdatedAt", expectedUpdatedAt);
    MemoryChecks.embedding(changes.embedding(), database.options());
    return database
        .of(projectId)
        .write(
            "memories.update",
            handle ->
                MemoryChanges.update(session(handle), projectId, id, changes, expectedUpdatedAt));
  }

  /**
   * Counts that memories served as context once more. It is no change of the memories: their {@code
   * updatedAt} stays.
   *
   * @param projectId the project
   * @param ids the memories' ids, at most 10,000
   * @return how many there are of them
   */
  public int countReuse(String projectId, Collection<String> ids) {
    Checks.id("projectId", projectId);
    Map<String, Integer> times = new LinkedHashMap<>();
    MemoryChecks.distinctIds(ids).forEach(id -> times.put(id, 1));
    return countReuse(projectId, times);
  }

  /**
   * Counts that memories served as context several times more, in one statement. Where many
   * searches find the same memories, collect the counts for some seconds and write them by this:
   * counted one by one they would wait for each other, and each count writes the row anew. Calls at
   * the same time do not get into a deadlock. It is no change of the memories: their {@code
   * updatedAt} stays. A count ends at 2,147,483,647.
   *
   * @param projectId the project
   * @param times for at most 10,000 ids how often, each at least 1
   * @return how many memories there are of them
   */
  public int countReuse(String projectId, Map<String, Integer> times) {
    Checks.id("projectId", projectId);
    Map<String, Integer> copy = new LinkedHashMap<>(Checks.notNull("times", times));
    MemoryChecks.distinctIds(copy.keySet());
    copy.forEach(
        (id, count) -> {
          if (count == null || count < 1) {
            throw new InvalidInputException(
                "times must be at least 1, was %s for %s".formatted(count, Checks.quoted(id)));
          }
        });
    if (copy.isEmpty()) {
      return 0;
    }
    return database
        .of(projectId)
        .write(
            "memories.countReuse",
            handle -> MemoryChanges.countReuse(session(handle), projectId, copy));
  }

  /**
   * Deletes a memory.
   *
   * @param projectId the project
   * @param id the memory's id
   * @param onLineage what to do where it has sources, or others were consolidated from it
   * @return whether there was such a memory
   * @throws MemoryInUseException if it has, and that is to be refused
   * @throws InvalidInputException if a transaction that is joined is not at READ COMMITTED, at
   *     which alone it can be seen what others have consolidated meanwhile
   */
  public boolean delete(String projectId, String id, OnLineage onLineage) {
    Checks.id("projectId", projectId);
    Checks.id("id", id);
    Checks.notNull("onLineage", onLineage);
    return database
        .of(projectId)
        .transact(
            "memories.delete",
            handle -> MemoryDeletes.delete(session(handle), projectId, id, onLineage));
  }

  /**
   * Deletes all memories of a project, in batches that are each a transaction of its own (in a
   * joined transaction: part of it). Task memories that were consolidated into them count as not
   * consolidated again. Where a batch fails, the exception is about that batch: those before it
   * stay deleted, and the next call goes on with what is left.
   *
   * @param projectId the project
   * @param batchSize how many memories to delete at a time, from 1 to 10,000
   * @return how many were deleted
   */
  public long deleteProject(String projectId, int batchSize) {
    Checks.id("projectId", projectId);
    MemoryChecks.limit("batchSize", batchSize);
    Database project = database.of(projectId).begun();
    long deleted = 0;
    int batch;
    do {
      batch =
          project.transact(
              "memories.deleteProject",
              handle -> MemoryDeletes.deleteBatch(session(handle), projectId, batchSize));
      deleted += batch;
    } while (batch > 0);
    return deleted;
  }

  /**
   * Finds the memories nearest to an embedding.
   *
   * @param projectId the project
   * @param query what to find
   * @return as many as asked for, or all with an embedding that pass the filter, less those that
   *     are farther away than the query allows
   */
  public SearchResult<VectorHit> searchByVector(String projectId, VectorQuery query) {
    Checks.id("projectId", projectId);
    Checks.notNull("query", query);
    MemoryChecks.embedding(query.embedding(), database.options());
    return query(
        projectId,
        "memories.searchByVector",
        session -> VectorSearch.run(session, rule(session), projectId, query));
  }

  /**
   * Finds the memories whose words match best.
   *
   * @param projectId the project
   * @param query what to find
   * @return as many as asked for, or all that match and pass the filter
   */
  public SearchResult<TextHit> searchByText(String projectId, TextQuery query) {
    Checks.id("projectId", projectId);
    Checks.notNull("query", query);
    return query(
        projectId,
        "memories.searchByText",
        session -> TextSearch.run(session, statistics(session), projectId, query));
  }

  /**
   * Finds memories by vector and by words at once.
   *
   * @param projectId the project
   * @param query what to find
   * @return as many as asked for, or all that match in either way and pass the filter
   */
  public SearchResult<FusedHit> searchFused(String projectId, FusedQuery query) {
    Checks.id("projectId", projectId);
    Checks.notNull("query", query);
    MemoryChecks.embedding(query.embedding(), database.options());
    return query(
        projectId,
        "memories.searchFused",
        session -> FusedSearch.run(session, statistics(session), rule(session), projectId, query));
  }

  /**
   * Finds the memories nearest to each of several embeddings, in one round trip: as so many calls
   * of {@link #searchByVector} would, with the same choice between comparing all memories and the
   * index, but without the way to the server and back for each.
   *
   * @param projectId the project
   * @param embeddings what to be near to, at most 1,000, with at most 10,000 hits in all
   * @param query what to find for each of them
   * @return the results in the order of the embeddings; of each as many hits as asked for, or all
   *     with an embedding that pass the filter, less those that are farther away than the query
   *     allows
   */
  public List<SearchResult<VectorHit>> searchByVectors(
      String projectId, List<Embedding> embeddings, BatchQuery query) {
    Checks.id("projectId", projectId);
    List<Embedding> asked = MemoryChecks.embeddings(embeddings, database.options());
    Checks.notNull("query", query).check("embeddings", asked.size(), MemoryChecks.MOST_ROWS);
    if (asked.isEmpty()) {
      return List.of();
    }
    return query(
        projectId,
        "memories.searchByVectors",
        session -> new BatchSearch(session, rule(session), projectId, query).byEmbeddings(asked));
  }

  /**
   * Finds the memories nearest to each of several stored memories, in one round trip and without
   * sending or fetching an embedding. A memory is not its own neighbour.
   *
   * @param projectId the project
   * @param ids the memories' ids, at most 1,000, with at most 100,000 neighbours in all
   * @param query what to find for each of them
   * @return the results by id, in the order of the ids; of each as many neighbours as asked for, or
   *     all others with an embedding that pass the filter, less those that are farther away than
   *     the query allows. Ids that the project has no memory of are left out, and so are memories
   *     without an embedding. The filter is for the neighbours, not for the memories themselves
   */
  public Map<String, SearchResult<Neighbour>> neighbours(
      String projectId, Collection<String> ids, BatchQuery query) {
    Checks.id("projectId", projectId);
    Set<String> distinct = MemoryChecks.distinctIds(ids);
    Checks.notNull("query", query).check("ids", distinct.size(), BatchSearch.MOST_NEIGHBOURS);
    if (distinct.isEmpty()) {
      return Map.of();
    }
    return query(
        projectId,
        "memories.neighbours",
        session -> new BatchSearch(session, rule(session), projectId, query).byIds(distinct));
  }

  /**
   * Finds pairs of a project's memories that are alike, each pair once, in pages: of so many
   * memories at a time those that are more than so similar to them and come after them in the order
   * of ids (by their bytes). Going on from {@link SimilarPairs#next} until it is null finds them
   * for the whole project; what is inserted meanwhile may be seen or not.
   *
   * <p>In a project that searches go through an index for, a pair may be missed as a search may
   * miss a hit; more {@linkplain PairQuery#withEffort effort} misses fewer.
   *
   * @param projectId the project
   * @param query which pairs
   * @param page which memories: at most 1,000, with at most 100,000 neighbours in all
   * @return the pairs of a page, in order of the first id, then the most similar first
   */
  public SimilarPairs similarPairs(String projectId, PairQuery query, PageRequest page) {
    Checks.id("projectId", projectId);
    Checks.notNull("query", query);
    Checks.page(page);
    Checks.idOrNull("page.after", page.after());
    query
        .neighbours(query.mostNeighbours())
        .check("page.size", page.size(), BatchSearch.MOST_NEIGHBOURS);
    return query(
        projectId,
        "memories.similarPairs",
        session -> new PairSearch(session, rule(session), projectId, query).page(page));
  }

  /**
   * Where a memory comes from: its sources, their sources, and so on, also over the cycles that bad
   * data may contain. A task memory that carries the id of a consolidated memory of the project
   * cannot be told from it.
   *
   * @param projectId the project
   * @param id the id of a consolidated memory
   * @param distance over how many consolidations to follow it, from 1 to 32
   * @return its sources, at most 10,000; none where the project has no such memory
   */
  public Lineage sourcesOf(String projectId, String id, int distance) {
    return lineage("memories.sourcesOf", Direction.SOURCES, projectId, id, distance);
  }

  /**
   * What became of a memory, its descendants: the memories that were consolidated from it, those
   * that were consolidated from them, and so on, also over the cycles that bad data may contain.
   * With {@linkplain io.agentmemory.consolidation.schema.SchemaOptions#rowLevelSecurity() row-level
   * security} each memory that it comes by, at each distance, takes a look at all memories of the
   * project.
   *
   * @param projectId the project
   * @param id the id of a task memory or of a consolidated memory
   * @param distance over how many consolidations to follow it, from 1 to 32
   * @return what was consolidated from it, at most 10,000 memories
   */
  public Lineage descendantsOf(String projectId, String id, int distance) {
    return lineage("memories.descendantsOf", Direction.DESCENDANTS, projectId, id, distance);
  }

  private Lineage lineage(
      String operation, Direction direction, String projectId, String id, int distance) {
    Checks.id("projectId", projectId);
    Checks.id("id", id);
    Checks.between("distance", distance, 1, LineageSearch.MOST_DISTANCE);
    return query(
        projectId,
        operation,
        session -> LineageSearch.run(session, direction, projectId, id, distance));
  }

  /** Those of these memories that pass a filter and that no others have been consolidated from. */
  List<ConsolidatedMemory> unconsolidated(
      String projectId, Collection<String> ids, MemoryFilter filter) {
    return query(
        projectId,
        "memories.unconsolidated",
        session -> {
          Set<String> consolidated = PairSearch.consolidated(session, projectId, ids);
          return MemoryReads.findAll(session, projectId, ids, filter).stream()
              .filter(memory -> !consolidated.contains(memory.id()))
              .toList();
        });
  }

  /** Those of these ids that task memories of the project have as well. */
  Set<String> ambiguous(String projectId, Collection<String> ids) {
    return query(
        projectId, "memories.ambiguous", session -> PairSearch.ambiguous(session, projectId, ids));
  }

  /** Undoes a consolidation by a connection in use. */
  Optional<ConsolidatedMemory> undo(Handle handle, String projectId, String id)
      throws SQLException {
    return MemoryDeletes.undo(session(handle), projectId, id);
  }

  /** What a reader returned, which says nothing of the rows. */
  private record Exported<T extends @Nullable Object>(T value) {}

  private void check(NewMemory memory) {
    Checks.notNull("memory", memory);
    MemoryChecks.embedding(memory.embedding(), database.options());
  }

  private SearchRule rule(MemorySession session) {
    return database.statements(session.connection(), SearchRule.class, SearchRule::of);
  }

  private WordStatistics statistics(MemorySession session) {
    return database.statements(
        session.connection(), WordStatistics.class, names -> new WordStatistics());
  }

  /** Reads by a session. */
  private interface Reading<T> {
    T run(MemorySession session) throws SQLException;
  }

  private <T> T query(String projectId, String operation, Reading<T> reading) {
    return database
        .of(projectId)
        .query(operation, (connection, deadline) -> reading.run(session(connection, deadline)));
  }

  private MemorySession session(Handle handle) {
    return session(handle.getConnection(), JdbiHandles.deadline(handle));
  }

  private MemorySession session(Connection connection, @Nullable Deadline deadline) {
    return new MemorySession(
        connection,
        deadline,
        database.statements(connection, SqlCache.class, SqlCache::of),
        VectorFormat.of(database.options().vectorType()),
        withEmbeddings,
        database.inTransaction());
  }
}
