package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.ddl.Index;
import io.agentmemory.consolidation.ddl.QualifiedName;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns a column of numbers into one of vectors while others write: a column beside it is kept up
 * by a trigger and filled in batches, then takes its place. What is done is read from the catalog,
 * so that another call goes on where one was cut short.
 */
final class EmbeddingConverter {
  private static final Logger LOG = LoggerFactory.getLogger(EmbeddingConverter.class);

  static final String COLUMN = "embedding";

  /** The class of SQLSTATEs of values that a cast does not take. */
  private static final String DATA_EXCEPTION = "22";

  private final SchemaOptions options;
  private final Set<Hazard> allowed;
  private final Waiting waiting;
  private final Online online;
  private final OnlineBuilder builder;
  private final Runner.Connections connections;
  private final UpgradeLock lock;
  private final QualifiedName table;
  private @Nullable ProgressListener listener;

  EmbeddingConverter(
      SchemaOptions options,
      Set<Hazard> allowed,
      Waiting waiting,
      Online online,
      OnlineBuilder builder,
      Runner.Connections connections) {
    this.options = options;
    this.allowed = allowed;
    this.waiting = waiting;
    this.online = online;
    this.builder = builder;
    this.connections = connections;
    this.lock = UpgradeLock.ofBuilds(options.schema());
    this.table = new QualifiedName(options.schema(), "consolidated_memories");
    this.listener = online.listener();
  }

  ConversionResult convert(Connection connection) throws SQLException {
    if (online.direct() != null) {
      return Runner.connected(online.direct(), direct -> locked(new Session(direct)));
    }
    if (Pooler.between(connection)) {
      throw new SchemaException("Nothing was changed: " + Pooler.ADVICE);
    }
    return locked(new Session(connection));
  }

  private ConversionResult locked(Session plain) {
    try (SessionSettings settings = SessionSettings.forBuilds(plain)) {
      Session session = settings.session();
      lock.takeForSession(session, waiting);
      try {
        return convert(session);
      } finally {
        lock.release(session);
      }
    }
  }

  private ConversionResult convert(Session session) {
    Extension extension = Snapshot.read(session.connection(), options).extension();
    if (extension == null) {
      throw new SchemaException(
          "Nothing was changed. The extension vector is missing: have a superuser run "
              + ExtensionCheck.creation().sql());
    }
    ConversionSql sql = new ConversionSql(options, table, extension);
    List<@Nullable String> found = session.row("look at the embeddings", sql.look());
    String type = found.isEmpty() ? null : found.get(0);
    String beside = found.isEmpty() ? null : found.get(1);
    boolean isVector = sql.isTarget(type);
    if (!isVector && !"double precision[]".equals(type)) {
      throw new SchemaException(
          "Nothing was changed. The embeddings of %s are %s; double precision[] can be converted"
              .formatted(table, type == null ? "not there" : type));
    }
    if (!isVector && !allowed.contains(Hazard.LOSES_PRECISION)) {
      throw new ChangeRefusedException(
          "Refused: the embeddings lose precision. Allow it by Schema.allowing",
          List.of(
              "Hazard."
                  + Hazard.LOSES_PRECISION
                  + ": "
                  + type
                  + " to "
                  + sql.target()
                  + ", "
                  + table));
    }
    List<String> notes = new ArrayList<>();
    long rows = 0;
    if (!isVector) {
      Stopwatch watch = Stopwatch.start();
      LOG.atInfo().addKeyValue("schema", options.schema()).log("Converting embeddings");
      if (beside != null) {
        refuseAnotherTarget(sql, beside);
        notes.add("Went on with a conversion that was cut short");
      } else {
        refuseForeignObjects(session, sql);
        refuseWhatIsNoVector(session, sql);
        shortly(session, "prepare the conversion", sql.prepare());
      }
      rows = fill(session, sql);
      shortly(session, "check that all rows are converted", sql.validate());
      refuseForeignObjects(session, sql);
      shortly(session, "put the vectors in place", sql.swap());
      notes.add("Vacuum " + table + ": every row that was converted left a dead one");
      LOG.atInfo()
          .addKeyValue("schema", options.schema())
          .addKeyValue("rows", rows)
          .addKeyValue("elapsedMillis", watch.millis())
          .log("Converted embeddings");
    }
    index(session, extension).forEach(notes::add);
    return new ConversionResult(!isVector, rows, notes);
  }

  private static void refuseForeignObjects(Session session, ConversionSql sql) {
    List<String> foreign =
        session.rows("look for foreign objects", sql.foreignObjects()).stream()
            .map(row -> String.valueOf(row.get(0)))
            .filter(object -> !object.contains(ConversionSql.BESIDE))
            .toList();
    if (!foreign.isEmpty()) {
      throw new ChangeRefusedException(Guard.FOREIGN, foreign);
    }
  }

  private static void refuseAnotherTarget(ConversionSql sql, String beside) {
    if (!sql.isTarget(beside)) {
      throw new SchemaException(
          "Nothing was changed. A conversion to %s was begun, the options ask for %s. Go on with the options that it was begun with, or give it up by: %s"
              .formatted(beside, sql.target(), sql.abandon()));
    }
  }

  private static void refuseWhatIsNoVector(Session session, ConversionSql sql) {
    List<String> unfit = new ArrayList<>();
    session
        .rows("look for what is no vector", sql.unfit())
        .forEach(row -> unfit.add("memory " + row.get(0)));
    if (!unfit.isEmpty()) {
      throw new ChangeRefusedException(
          "Refused: embeddings that are no %s (by their length, or because an element is null, not a number, or too large). Mend these first, at most ten are named"
              .formatted(sql.target()),
          unfit);
    }
  }

  private long fill(Session session, ConversionSql sql) {
    Stopwatch watch = Stopwatch.start();
    long total = Math.max(0, Long.parseLong(String.valueOf(session.value("count", sql.count()))));
    long seen = 0;
    long written = 0;
    String last = null;
    while (true) {
      List<@Nullable String> row = batch(session, sql, last);
      long more = Long.parseLong(String.valueOf(row.get(1)));
      if (more == 0) {
        tell(BuildProgress.FINISHED, seen, seen, watch);
        return written;
      }
      last = row.get(0);
      seen += more;
      written += Long.parseLong(String.valueOf(row.get(2)));
      tell("converting", seen, Math.max(seen, total), watch);
    }
  }

  /** What is no vector may have been committed after it was looked for, before the trigger was. */
  private List<@Nullable String> batch(Session session, ConversionSql sql, @Nullable String last) {
    try {
      return shortly(session, "convert rows", sql.batch(last));
    } catch (SchemaSqlException e) {
      if (e.sqlState() != null && e.sqlState().startsWith(DATA_EXCEPTION)) {
        refuseWhatIsNoVector(session, sql);
      }
      throw e;
    }
  }

  private void tell(String phase, long done, long total, Stopwatch watch) {
    if (listener != null) {
      Duration elapsed = watch.elapsed();
      double rate = done / Math.max(0.001, elapsed.toMillis() / 1000.0);
      Duration left = rate > 0 ? Duration.ofMillis((long) ((total - done) / rate * 1000)) : null;
      try {
        listener.progress(
            new BuildProgress(COLUMN, phase, "rows", done, total, rate, left, elapsed));
      } catch (RuntimeException e) {
        LOG.atWarn()
            .addKeyValue("schema", options.schema())
            .setCause(e)
            .log("The progress listener failed; it is told no more");
        listener = null;
      }
    }
  }

  /**
   * Runs something in a transaction that waits for no lock longer than the timeout, again until the
   * deadline.
   */
  private List<@Nullable String> shortly(Session session, String name, String sql) {
    long end = waiting.end();
    for (int attempt = 0; ; attempt++) {
      try {
        return transaction(session, name, sql);
      } catch (SchemaSqlException e) {
        if (!Runner.worthAnotherTry(e)) {
          throw e;
        }
        String others = Backends.inTheWay(session, List.of(table), waiting.lockTimeout());
        if (Waiting.isOver(end)) {
          throw new SchemaBusyException(
              "Gave up after " + waiting.deadline() + ": " + e.getMessage() + others, e);
        }
        LOG.atInfo()
            .addKeyValue("schema", options.schema())
            .addKeyValue("attempt", attempt + 1)
            .addKeyValue("sqlState", e.sqlState())
            .log("Waiting for others: {}{}", e.getMessage(), others);
        Pause.after(attempt, end);
      }
    }
  }

  private List<@Nullable String> transaction(Session session, String name, String sql) {
    try {
      return Runner.committed(session, waiting, begun -> begun.lastRow(name, sql));
    } catch (SQLException e) {
      throw SchemaSqlException.of(name, sql, null, e);
    }
  }

  /** Tells what a person should know of the build. */
  private List<String> index(Session session, Extension extension) {
    Index index =
        OwnRevisions.of(options, true).stream()
            .flatMap(revision -> revision.changes().stream())
            .filter(Change.CreateIndex.class::isInstance)
            .map(change -> ((Change.CreateIndex) change).index())
            .filter(each -> each.name().equals("idx_cm_embedding"))
            .findFirst()
            .orElseThrow();
    List<String> notes = new ArrayList<>();
    if (OnlineBuilder.state(session, index) == OnlineBuilder.State.VALID) {
      return notes;
    }
    Statements.Planned create =
        new Statements(options, extension.schema())
            .online(new PendingIndex(OwnRevisions.CONSOLIDATION_001, index))
            .get(0);
    BuildSizing sizing = BuildSizing.of(session, options, online.resources());
    sizing.prepare(index).ifPresent(notes::add);
    try (BuildMonitor monitor = BuildMonitor.start(session, connections, online)) {
      monitor.begin(index.name());
      builder.make(session, create, index, sizing).ifPresent(notes::add);
      monitor.end();
    }
    return notes;
  }
}
