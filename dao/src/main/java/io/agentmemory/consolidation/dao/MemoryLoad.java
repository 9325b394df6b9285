package io.agentmemory.consolidation.dao;

import java.util.function.Function;
import org.jdbi.v3.core.Handle;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/** A load, in one transaction or in several. */
final class MemoryLoad {
  private static final Logger LOG = LoggerFactory.getLogger(MemoryLoad.class);
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
    LOG.atDebug()
        .addKeyValue("operation", OPERATION)
        .addKeyValue("onConflict", options.onConflict())
        .addKeyValue("commitEvery", options.commitEvery())
        .log("A load begins");
    try {
      while (rows.hasNext()) {
        inserted +=
            ofProject()
                .transact(
                    OPERATION,
                    handle -> {
                      LoadTransaction transaction =
                          new LoadTransaction(sessions.apply(handle), options.onConflict(), rows);
                      long now = transaction.run(most);
                      if (whole) {
                        rows.tell();
                      }
                      return now;
                    });
        committed = result();
      }
      if (!whole || committed.read() == 0) {
        rows.tell();
      }
    } catch (RuntimeException e) {
      LogFields.add(about(LOG.atWarn(), committed), "sqlState", Failures.sqlState(e))
          .log("A load failed; the rest of it is not committed");
      if (committed.read() == 0) {
        throw e;
      }
      throw new PartialLoadException(committed, e);
    }
    LoadResult result = result();
    about(LOG.atInfo(), result).log("A load has ended");
    return result;
  }

  private LoggingEventBuilder about(LoggingEventBuilder event, LoadResult result) {
    return event
        .addKeyValue("operation", OPERATION)
        .addKeyValue("read", result.read())
        .addKeyValue("inserted", result.inserted())
        .addKeyValue("skipped", result.skipped())
        .addKeyValue("replaced", result.replaced())
        .addKeyValue("elapsedMillis", rows.elapsed().toMillis());
  }

  private Database ofProject() {
    return database.options().rowLevelSecurity() ? database.of(rows.project()) : database;
  }

  private LoadResult result() {
    long taken = rows.sent() - inserted;
    boolean skips = options.onConflict() == OnConflict.SKIP;
    return new LoadResult(
        rows.sent(), inserted, skips ? taken : 0, skips ? 0 : taken, rows.elapsed());
  }
}
