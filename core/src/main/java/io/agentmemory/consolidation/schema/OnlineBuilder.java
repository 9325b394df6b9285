package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Identifiers;
import io.agentmemory.consolidation.ddl.Index;
import io.agentmemory.consolidation.ddl.QualifiedName;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
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
      return Runner.connected(online.direct(), direct -> finish(new Session(direct), soFar));
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
          return build(session, soFar, Set.of());
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

  /**
   * Builds what is pending, by a session that holds the lock of builds and has the settings for it.
   *
   * @param atOnce the indexes that need not be built online
   */
  UpgradeResult build(Session session, UpgradeResult soFar, Set<QualifiedName> atOnce) {
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
        State found = state(session, each.index());
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
              .make(name, statements.atOnce(each))
              .ifPresent(notes::add);
        } else {
          about(name).log("Building an index online");
          make(session, statements.online(each).get(0), each.index(), sizing).ifPresent(notes::add);
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

  /**
   * Builds an index, again until the deadline where others are in the way; it is valid then.
   *
   * @return what a person should know of it
   */
  Optional<String> make(
      Session session, Statements.Planned create, Index index, BuildSizing sizing) {
    QualifiedName name = index.qualifiedName();
    long end = waiting.end();
    Optional<String> note = Optional.empty();
    for (int attempt = 0; ; attempt++) {
      if (state(session, index) == State.INVALID) {
        drop(session, name);
      }
      try {
        session.execute(create);
      } catch (SchemaSqlException e) {
        Optional<String> alone = sizing.withoutWorkers(name, e);
        if (alone.isPresent()) {
          note = alone;
          continue;
        }
        if (Runner.worthAnotherTry(e) && !Waiting.isOver(end)) {
          about(name)
              .addKeyValue("attempt", attempt + 1)
              .addKeyValue("sqlState", e.sqlState())
              .log("Building an index again: {}", e.getMessage());
          Pause.after(attempt, end);
          continue;
        }
        dropAfter(e, session, index);
        throw e;
      }
      if (state(session, index) != State.VALID) {
        throw new SchemaException(
            "The server built index " + name + ", but does not call it valid. Upgrade again");
      }
      return note;
    }
  }

  private static void drop(Session session, QualifiedName name) {
    session.execute(
        "drop the invalid index " + name, "DROP INDEX CONCURRENTLY IF EXISTS " + name.sql());
  }

  /** An invalid index only costs; where the connection is lost, the next upgrade drops it. */
  private static void dropAfter(SchemaSqlException failure, Session session, Index index) {
    try {
      if (state(session, index) == State.INVALID) {
        drop(session, index.qualifiedName());
      }
    } catch (SchemaException e) {
      failure.addSuppressed(e);
    }
  }

  /**
   * Looks for an index of its name.
   *
   * @throws SchemaException if that is one of another table, method or operator class
   */
  static State state(Session session, Index index) {
    QualifiedName name = index.qualifiedName();
    List<@Nullable String> found =
        session.row(
            "look at index " + name,
            """
            SELECT i.indisvalid AND i.indisready,
              i.indrelid = to_regclass(%s) AND a.amname = '%s' AND %s,
              pg_get_indexdef(i.indexrelid)
            FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
            WHERE i.indexrelid = to_regclass(%s)
            """
                .formatted(
                    Identifiers.literal(index.table().sql()),
                    index.method().name().toLowerCase(Locale.ROOT),
                    operatorClasses(index),
                    Identifiers.literal(name.sql())));
    if (found.isEmpty()) {
      return State.ABSENT;
    }
    if (!"t".equals(found.get(1))) {
      throw new SchemaException(
          "The index %s is another than is to be built: %s. Rename it, or drop it, then try again"
              .formatted(name, found.get(2)));
    }
    return "t".equals(found.get(0)) ? State.VALID : State.INVALID;
  }

  /** A condition on the index {@code i}: it has the operator classes that are asked for. */
  private static String operatorClasses(Index index) {
    List<String> conditions = new ArrayList<>();
    for (int key = 0; key < index.keys().size(); key++) {
      String wanted = index.keys().get(key).operatorClass();
      if (wanted != null) {
        conditions.add(
            "EXISTS (SELECT FROM pg_opclass o WHERE o.oid = i.indclass[%d] AND o.opcname = %s)"
                .formatted(key, Identifiers.literal(wanted)));
      }
    }
    return conditions.isEmpty() ? "true" : String.join(" AND ", conditions);
  }
}
