package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Identifiers;
import io.agentmemory.consolidation.ddl.Index;
import io.agentmemory.consolidation.ddl.QualifiedName;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * Builds the indexes that the history records as pending, one at a time, by a session that holds
 * the lock of builds. Whatever an earlier one left is found in the catalog.
 */
final class OnlineBuilder {
  private static final Logger LOG = LoggerFactory.getLogger(OnlineBuilder.class);

  private final SchemaOptions options;
  private final Planner planner;
  private final Waiting waiting;
  private final Online online;
  private final Runner.Connections connections;
  private final UpgradeLock lock;
  private final History history;

  OnlineBuilder(
      SchemaOptions options,
      Planner planner,
      Waiting waiting,
      Online online,
      Runner.Connections connections) {
    this.options = options;
    this.planner = planner;
    this.waiting = waiting;
    this.online = online;
    this.connections = connections;
    this.lock = UpgradeLock.ofBuilds(options.schema());
    this.history = new History(options);
  }

  /** Sees to what an upgrade found, or left, to be built. */
  UpgradeResult finish(Connection connection, UpgradeResult soFar) throws SQLException {
    if (online.direct() != null) {
      try (Connection direct = online.direct().getConnection()) {
        direct.setAutoCommit(true);
        return finish(new Session(direct), soFar);
      }
    }
    if (Pooler.between(connection)) {
      return soFar.withWarning("Indexes are still to be built, and " + Pooler.ADVICE);
    }
    return finish(new Session(connection), soFar);
  }

  private UpgradeResult finish(Session session, UpgradeResult soFar) {
    try (SessionSettings settings = SessionSettings.forBuilds(session)) {
      return polling(settings.session(), soFar);
    }
  }

  private UpgradeResult polling(Session session, UpgradeResult soFar) {
    long end = waiting.end();
    for (int attempt = 0; ; attempt++) {
      if (lock.tryTakeForSession(session)) {
        try {
          return build(session, soFar, end);
        } finally {
          lock.release(session);
        }
      }
      String holder = lock.heldBy(session);
      if (planner.pending(Snapshot.read(session.connection(), options)).isEmpty()) {
        return soFar.withBuilt(List.of(), List.of());
      }
      if (!online.waits()) {
        return soFar.withNote("Indexes are building: " + holder);
      }
      if (Waiting.isOver(end)) {
        throw new SchemaBusyException(
            "Gave up after " + waiting.deadline() + ": indexes are building: " + holder, null);
      }
      lock.pause(() -> holder, attempt, end);
    }
  }

  private UpgradeResult build(Session session, UpgradeResult soFar, long end) {
    return build(session, soFar, end, Set.of());
  }

  /**
   * Builds what is pending, by a session that holds the lock of builds and has the settings for it.
   *
   * @param atOnce the indexes that need not be built online
   */
  UpgradeResult build(Session session, UpgradeResult soFar, long end, Set<QualifiedName> atOnce) {
    Snapshot now = Snapshot.read(session.connection(), options);
    List<PendingIndex> pending = planner.pending(now);
    String extensionSchema = now.extension() == null ? "public" : now.extension().schema();
    Statements statements = new Statements(options, extensionSchema);
    BuildSizing sizing = BuildSizing.of(session, options, online.resources());
    List<String> built = new ArrayList<>();
    List<String> notes = new ArrayList<>();
    try (BuildMonitor monitor = BuildMonitor.start(session, connections, online)) {
      for (PendingIndex each : pending) {
        QualifiedName name = each.index().qualifiedName();
        State found = state(session, name);
        if (found == State.VALID) {
          notes.add("Found index " + name + " built, by an upgrade that ended before recording it");
          session.execute("record index " + name, history.settle(each).sql());
          continue;
        }
        if (found == State.INVALID) {
          notes.add("Found index " + name + " invalid, left by a build that was cut short");
        }
        sizing.prepare(each.index()).ifPresent(notes::add);
        monitor.begin(each.index().name());
        Stopwatch watch = Stopwatch.start();
        if (atOnce.contains(name)) {
          about(name).log("Building an index");
          new BlockingBuild(session, sizing, waiting)
              .make(name, statements.atOnce(each), end)
              .ifPresent(notes::add);
        } else {
          about(name).log("Building an index online");
          make(session, statements.online(each).get(0), each.index(), end);
          session.execute("record index " + name, history.settle(each).sql());
        }
        monitor.end();
        about(name).addKeyValue("elapsedMillis", watch.millis()).log("Built an index");
        built.add(name.sql());
      }
    }
    return soFar.withBuilt(built, notes);
  }

  private LoggingEventBuilder about(QualifiedName index) {
    return LOG.atInfo().addKeyValue("schema", options.schema()).addKeyValue("index", index);
  }

  /** What the catalog says of an index. */
  enum State {
    ABSENT,
    INVALID,
    VALID
  }

  /** Builds an index, again until the end where others are in the way; it is valid then. */
  void make(Session session, Statements.Planned create, Index index, long end) {
    QualifiedName name = index.qualifiedName();
    for (int attempt = 0; ; attempt++) {
      if (state(session, name) == State.INVALID) {
        drop(session, name);
      }
      try {
        session.execute(create);
      } catch (SchemaSqlException e) {
        if (Runner.worthAnotherTry(e) && !Waiting.isOver(end)) {
          about(name)
              .addKeyValue("attempt", attempt + 1)
              .addKeyValue("sqlState", e.sqlState())
              .log("Building an index again: {}", e.getMessage());
          Pause.after(attempt, end);
          continue;
        }
        dropAfter(e, session, name);
        throw e;
      }
      if (state(session, name) != State.VALID) {
        throw new SchemaException(
            "The server built index " + name + ", but does not call it valid. Upgrade again");
      }
      return;
    }
  }

  private static void drop(Session session, QualifiedName name) {
    session.execute(
        "drop the invalid index " + name, "DROP INDEX CONCURRENTLY IF EXISTS " + name.sql());
  }

  /** An invalid index only costs; where the connection is lost, the next upgrade drops it. */
  private static void dropAfter(SchemaSqlException failure, Session session, QualifiedName name) {
    try {
      if (state(session, name) == State.INVALID) {
        drop(session, name);
      }
    } catch (SchemaException e) {
      failure.addSuppressed(e);
    }
  }

  static State state(Session session, QualifiedName name) {
    String valid =
        session.value(
            "look at index " + name,
            "SELECT indisvalid AND indisready FROM pg_index WHERE indexrelid = to_regclass("
                + Identifiers.literal(name.sql())
                + ")");
    return valid == null ? State.ABSENT : valid.equals("t") ? State.VALID : State.INVALID;
  }
}
