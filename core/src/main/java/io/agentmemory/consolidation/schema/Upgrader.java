package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.ddl.Identifiers;
import io.agentmemory.consolidation.ddl.QualifiedName;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The way up. */
final class Upgrader implements Runner.Task<UpgradeResult> {
  private static final Logger LOG = LoggerFactory.getLogger(Upgrader.class);

  private final SchemaOptions options;
  private final Planner planner;
  private final Set<Hazard> allowed;
  private final Online online;
  private final OnlineBuilder builder;
  private final @Nullable String target;

  Upgrader(
      SchemaOptions options,
      Planner planner,
      Set<Hazard> allowed,
      Online online,
      OnlineBuilder builder,
      @Nullable String target) {
    this.options = options;
    this.planner = planner;
    this.allowed = allowed;
    this.online = online;
    this.builder = builder;
    this.target = target;
  }

  @Override
  public Plan plan(Snapshot now) {
    return planner.up(now, target);
  }

  @Override
  public UpgradeResult nothingToDo(Snapshot now) {
    List<String> warnings = ExtensionCheck.warnings(now.extension());
    return new UpgradeResult(List.of(), List.of(), pending(now), List.of(), warnings);
  }

  private List<String> pending(Snapshot now) {
    return planner.pending(now).stream().map(each -> each.index().qualifiedName().sql()).toList();
  }

  @Override
  public UpgradeResult execute(Session session, Plan plan, Snapshot now, String searchPath) {
    Stopwatch watch = Stopwatch.start();
    List<String> notes = new ArrayList<>();
    Extension extension = ExtensionCheck.ensure(session, now, notes);
    List<String> warnings = new ArrayList<>(ExtensionCheck.warnings(extension));
    HostCheck host = new HostCheck(options, extension);
    boolean first = plan.has(OwnRevisions.TASK_MEMORIES_001);
    if (first && now.hostTableAdopted()) {
      host.adoptable(session);
      notes.add("Adopted the host's table " + options.hostTable().table());
      warnings.addAll(host.mapping(session, true, searchPath));
    }
    if (plan.has(OwnRevisions.CONSOLIDATION_003) && now.hostTableAdopted()) {
      host.indexable(session);
    }
    new Guard(plan, allowed).check(session);
    Meanings meanings = new Meanings(plan, TableSize.of(session, plan), online);
    List<Statements.Planned> statements =
        new Statements(options, extension.schema()).of(plan, meanings.deferred());
    meanings.refuse(statements, allowed);
    checkOnline(session, meanings.deferred());
    statements.forEach(session::execute);
    if (first && !now.hostTableAdopted()) {
      warnings.addAll(host.mapping(session, false, searchPath));
    }
    List<String> building = new ArrayList<>(pending(now));
    meanings.deferred().stream().map(QualifiedName::sql).sorted().forEach(building::add);
    LOG.atInfo()
        .addKeyValue("schema", options.schema())
        .addKeyValue("revisions", plan.revisions())
        .addKeyValue("elapsedMillis", watch.millis())
        .log("Applied revisions");
    return new UpgradeResult(plan.revisions(), List.of(), building, notes, warnings);
  }

  /** What would stop the builds later is found before anything is changed. */
  private void checkOnline(Session session, Set<QualifiedName> deferred) {
    if (deferred.isEmpty()) {
      return;
    }
    if (online.direct() == null && Pooler.between(session.connection())) {
      throw new SchemaException(
          "Nothing was changed. The indexes "
              + deferred
              + " are to be built online, and "
              + Pooler.ADVICE
              + ", or have them built in the transaction by IndexBuilds.IN_TRANSACTION");
    }
    for (QualifiedName index : deferred) {
      if (session.holds("look for index " + index, taken(index))) {
        throw new SchemaException(takenMessage(index));
      }
    }
  }

  /** A condition: something goes by the name of an index that is to be made. */
  static String taken(QualifiedName index) {
    return "to_regclass(" + Identifiers.literal(index.sql()) + ") IS NOT NULL";
  }

  static String takenMessage(QualifiedName index) {
    return "Nothing was changed. The index "
        + index
        + " is there already, made by somebody else: rename it, or drop it, then try again";
  }

  @Override
  public UpgradeResult finish(Connection connection, UpgradeResult result) throws SQLException {
    return result.building().isEmpty() ? result : builder.finish(connection, result);
  }
}
