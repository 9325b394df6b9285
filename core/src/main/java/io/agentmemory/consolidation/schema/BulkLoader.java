package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.ddl.QualifiedName;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the HNSW indexes of the memories away for a load, and builds them after it. That they are
 * to be built is in the history from the moment they go, as if an upgrade had left them; so
 * whatever happens, the next upgrade finds them there.
 */
final class BulkLoader {
  private static final Logger LOG = LoggerFactory.getLogger(BulkLoader.class);

  private final DataSource dataSource;
  private final SchemaOptions options;
  private final Planner planner;
  private final Waiting waiting;
  private final Online online;
  private final Set<Hazard> allowed;
  private final QualifiedName memories;

  BulkLoader(
      DataSource dataSource,
      SchemaOptions options,
      Planner planner,
      Waiting waiting,
      Online online,
      Set<Hazard> allowed) {
    this.dataSource = dataSource;
    this.options = options;
    this.planner = planner;
    this.waiting = waiting;
    this.online = online;
    this.allowed = allowed;
    this.memories = new QualifiedName(options.schema(), "consolidated_memories");
  }

  <E extends Exception> BulkLoadResult run(BulkLoad<E> load) throws E {
    try (BuildSession held = open()) {
      Set<QualifiedName> dropped = drop(held.session());
      LOG.atInfo()
          .addKeyValue("schema", options.schema())
          .addKeyValue("indexes", dropped)
          .log("A bulk load begins without these indexes");
      Stopwatch loadWatch = Stopwatch.start();
      try {
        load.run();
      } catch (Throwable failure) {
        LOG.atWarn()
            .addKeyValue("schema", options.schema())
            .addKeyValue("indexes", dropped)
            .addKeyValue("loadMillis", loadWatch.millis())
            .log("A bulk load failed; its indexes are built");
        buildAfter(failure, held.session(), dropped);
        throw failure;
      }
      Duration loading = loadWatch.elapsed();
      Stopwatch buildWatch = Stopwatch.start();
      UpgradeResult built = build(held.session(), dropped);
      BulkLoadResult result =
          new BulkLoadResult(built.built(), built.notes(), loading, buildWatch.elapsed());
      LOG.atInfo()
          .addKeyValue("schema", options.schema())
          .addKeyValue("indexes", result.built())
          .addKeyValue("loadMillis", result.loading().toMillis())
          .addKeyValue("buildMillis", result.building().toMillis())
          .log("A bulk load has ended");
      return result;
    }
  }

  private BuildSession open() {
    try {
      return BuildSession.open(
          online.direct() == null ? dataSource : online.direct(), options, waiting);
    } catch (SQLException e) {
      throw lost(e);
    }
  }

  private Set<QualifiedName> drop(Session session) {
    try {
      return new Runner(dataSource, options, waiting)
          .locked(session.connection(), memories, this::dropInTransaction);
    } catch (SQLException e) {
      throw lost(e);
    }
  }

  private static SchemaException lost(SQLException e) {
    return new SchemaException(
        "The connection failed with SQLSTATE " + e.getSQLState() + ": " + e.getMessage(), e);
  }

  private Set<QualifiedName> dropInTransaction(Session session) {
    Schema.inspect(session.connection(), options);
    List<PendingIndex> indexes =
        planner.hnsw(Snapshot.read(session.connection(), options), memories);
    refuseIfLarge(session);
    History history = new History(options);
    Set<QualifiedName> dropped = new HashSet<>();
    for (PendingIndex each : indexes) {
      QualifiedName name = each.index().qualifiedName();
      session.execute("record index " + name, history.reopen(each).sql());
      session.execute("drop index " + name, "DROP INDEX IF EXISTS " + name.sql());
      dropped.add(name);
    }
    return dropped;
  }

  private void refuseIfLarge(Session session) {
    TableSize size = TableSize.of(session, Set.of(memories)).get(memories);
    if (size != null
        && size.bytes() >= online.threshold()
        && online.builds() != IndexBuilds.ONLINE
        && !allowed.contains(Hazard.BLOCKS_FOR_LONG)) {
      List<String> reasons = new ArrayList<>();
      reasons.add(
          "Hazard.BLOCKS_FOR_LONG: build the HNSW indexes anew, table %s of %s"
              .formatted(memories, UpgradePlan.size(size.bytes())));
      throw new ChangeRefusedException(
          "Refused: writes of a large table would wait while its indexes are built anew. Allow it by"
              + " Schema.allowing, have them built by IndexBuilds.ONLINE, or load without a bulk load",
          reasons);
    }
  }

  private UpgradeResult build(Session session, Set<QualifiedName> dropped) {
    OnlineBuilder builder =
        new OnlineBuilder(options, planner, waiting, online, dataSource::getConnection);
    UpgradeResult none = new UpgradeResult(List.of(), List.of(), List.of(), List.of(), List.of());
    Set<QualifiedName> atOnce = online.builds() == IndexBuilds.ONLINE ? Set.of() : dropped;
    UpgradeResult built = builder.build(session, none, atOnce);
    session.execute("analyse the memories", "ANALYZE " + memories.sql());
    return built;
  }

  /** What the load failed with matters more; where this fails too, the next upgrade builds. */
  private void buildAfter(Throwable failure, Session session, Set<QualifiedName> dropped) {
    try {
      build(session, dropped);
    } catch (SchemaException e) {
      failure.addSuppressed(e);
    }
  }
}
