package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.ddl.Identifiers;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The way down. */
final class Downgrader implements Runner.Task<DowngradeResult> {
  private static final Logger LOG = LoggerFactory.getLogger(Downgrader.class);

  private final SchemaOptions options;
  private final Set<Hazard> allowed;
  private final Online online;
  private final Function<Snapshot, Plan> planning;

  Downgrader(
      SchemaOptions options,
      Set<Hazard> allowed,
      Online online,
      Function<Snapshot, Plan> planning) {
    this.options = options;
    this.allowed = allowed;
    this.online = online;
    this.planning = planning;
  }

  @Override
  public Plan plan(Snapshot now) {
    return planning.apply(now);
  }

  @Override
  public DowngradeResult nothingToDo(Snapshot now) {
    return new DowngradeResult(List.of(), List.of());
  }

  @Override
  public DowngradeResult execute(Session session, Plan plan, Snapshot now, String searchPath) {
    Stopwatch watch = Stopwatch.start();
    List<String> notes = new ArrayList<>();
    new Guard(plan, allowed).check(session);
    String extensionSchema = now.extension() == null ? "public" : now.extension().schema();
    List<Statements.Planned> statements = new Statements(options, extensionSchema).of(plan);
    new Meanings(plan, TableSize.of(session, plan), online).refuse(statements, allowed);
    statements.forEach(session::execute);
    if (plan.dropsSchema() && !schemaInUse(session, notes)) {
      session.execute("drop the schema", "DROP SCHEMA " + Identifiers.quoted(options.schema()));
    }
    if (plan.dropsHistory() && now.extension() != null) {
      notes.add(
          "The extension vector "
              + now.extension().version()
              + " stays in schema "
              + now.extension().schema()
              + "; if nothing else uses it, drop it yourself: DROP EXTENSION vector");
    }
    LOG.atInfo()
        .addKeyValue("schema", options.schema())
        .addKeyValue("revisions", plan.revisions())
        .addKeyValue("elapsedMillis", watch.millis())
        .log("Took revisions back");
    return new DowngradeResult(plan.revisions(), notes);
  }

  @Override
  public DowngradeResult finish(Connection connection, DowngradeResult result) {
    return result;
  }

  /** A schema that an upgrade created stays if something of somebody else's is in it by now. */
  private boolean schemaInUse(Session session, List<String> notes) {
    List<String> found =
        session
            .rows(
                "look for what else is in the schema",
                """
                SELECT pg_describe_object(classid, objid, objsubid) FROM pg_depend
                WHERE refclassid = 'pg_namespace'::regclass AND refobjid = to_regnamespace(%s)
                """
                    .formatted(Identifiers.literal(Identifiers.quoted(options.schema()))))
            .stream()
            .map(row -> String.valueOf(row.get(0)))
            .toList();
    if (!found.isEmpty()) {
      notes.add(
          "The schema "
              + options.schema()
              + ", which an upgrade created, stays because of what is in it: "
              + String.join(", ", found));
    }
    return !found.isEmpty();
  }
}
