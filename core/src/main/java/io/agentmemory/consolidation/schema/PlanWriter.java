package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.ddl.SqlStatement;
import io.agentmemory.consolidation.schema.Statements.Planned;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/** Writes down what an upgrade or a downgrade would do to the database that it looks at. */
final class PlanWriter {
  private final SchemaOptions options;
  private final Planner planner;
  private final List<Changelog> changelogs;
  private final Set<Hazard> allowed;
  private final Online online;

  PlanWriter(
      SchemaOptions options,
      Planner planner,
      List<Changelog> changelogs,
      Set<Hazard> allowed,
      Online online) {
    this.options = options;
    this.planner = planner;
    this.changelogs = changelogs;
    this.allowed = allowed;
    this.online = online;
  }

  UpgradePlan write(Session session) {
    Snapshot now = look(session);
    Plan plan = planner.up(now, null);
    Meanings meanings = new Meanings(plan, TableSize.of(session, plan), online);
    ScriptContext context = context(now);
    Statements statements = new Statements(options, context.extensionSchema());
    List<Planned> inTransaction = statements.of(plan, meanings.deferred());
    List<Planned> after = new ArrayList<>();
    planner.pending(now).forEach(each -> after.addAll(pending(session, statements, each)));
    after.addAll(statements.online(plan, meanings.deferred()));
    List<PlannedStatement> meant = new ArrayList<>();
    if (!plan.isEmpty() && now.extension() == null) {
      meant.add(meanings.of(new Planned(null, ExtensionCheck.creation())));
    }
    inTransaction.forEach(each -> meant.add(meanings.of(each)));
    after.forEach(each -> meant.add(meanings.of(each)));
    ScriptWriter writer = new ScriptWriter(options, context, online.threshold());
    return new UpgradePlan(
        meant, writer.script(now, plan, inTransaction, after, meanings.deferred()));
  }

  /** What a downgrade would do, and what is in its way. */
  DowngradePlan writeDown(Session session, Function<Snapshot, Plan> planning) {
    Snapshot now = look(session);
    Plan plan = planning.apply(now);
    Meanings meanings = new Meanings(plan, TableSize.of(session, plan), online);
    ScriptContext context = context(now);
    List<Planned> statements = new Statements(options, context.extensionSchema()).of(plan);
    Guard guard = new Guard(plan, allowed);
    List<String> obstacles = guard.obstacles(session);
    return new DowngradePlan(
        statements.stream().map(meanings::of).toList(),
        obstacles,
        new ScriptWriter(options, context, online.threshold())
            .script(now, plan, statements, List.of(), Set.of()));
  }

  private Snapshot look(Session session) {
    session.execute("change nothing", "SET TRANSACTION READ ONLY");
    return Snapshot.read(session.connection(), options);
  }

  private ScriptContext context(Snapshot now) {
    ScriptContext context =
        now.hostTableAdopted()
            ? ScriptContext.adoptingHostTable()
            : ScriptContext.creatingHostTable();
    if (now.extension() != null) {
      context = context.extensionIn(now.extension().schema());
    }
    for (Changelog changelog : changelogs) {
      context = context.with(changelog);
    }
    return context.allowing(allowed.toArray(Hazard[]::new));
  }

  /** What is left to do for an index depends on what an earlier build left. */
  private static List<Planned> pending(Session session, Statements statements, PendingIndex each) {
    List<Planned> online = statements.online(each);
    return switch (OnlineBuilder.state(session, each.index())) {
      case ABSENT -> online;
      case INVALID -> List.of(invalid(online.get(0), each), online.get(0), online.get(1));
      case VALID -> List.of(online.get(1));
    };
  }

  private static Planned invalid(Planned create, PendingIndex each) {
    SqlStatement drop =
        new SqlStatement(
            "drop the invalid index " + each.index().name(),
            "DROP INDEX CONCURRENTLY " + each.index().qualifiedName().sql());
    return new Planned(create.revision(), drop, create.change(), create.table(), true);
  }
}
