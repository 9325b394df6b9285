package io.agentmemory.consolidation.dao;

import java.util.function.Function;
import org.jdbi.v3.core.Handle;

/** A load, in one transaction or in several. */
final class MemoryLoad {
  private static final String OPERATION = "memories.load";

  private final Database database;
  private final Function<Handle, MemorySession> sessions;
  private final LoadOptions options;
  private final LoadRows rows;
  private long inserted;

  MemoryLoad(
      Database database,
      Function<Handle, MemorySession> sessions,
      LoadOptions options,
      LoadRows rows) {
    this.database = database;
    this.sessions = sessions;
    this.options = options;
    this.rows = rows;
  }

  LoadResult run() {
    boolean whole = options.commitEvery() == 0 || database.joined();
    long most = whole ? Long.MAX_VALUE : options.commitEvery();
    LoadResult committed = result();
    try {
      while (rows.hasNext()) {
        inserted +=
            database.transact(
                OPERATION,
                handle ->
                    new LoadTransaction(sessions.apply(handle), options.onConflict(), rows)
                        .run(most));
        committed = result();
      }
    } catch (RuntimeException e) {
      if (committed.read() == 0) {
        throw e;
      }
      throw new PartialLoadException(committed, e);
    }
    rows.tell();
    return result();
  }

  private LoadResult result() {
    long taken = rows.sent() - inserted;
    boolean skips = options.onConflict() == OnConflict.SKIP;
    return new LoadResult(
        rows.sent(), inserted, skips ? taken : 0, skips ? 0 : taken, rows.elapsed());
  }
}
