package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.Renderer;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Records a schema that somebody else made, once it is found to be the one defined here. */
final class Adopter implements Runner.Task<UpgradeResult> {
  private static final Logger LOG = LoggerFactory.getLogger(Adopter.class);

  private final SchemaOptions options;
  private final Planner planner;

  Adopter(SchemaOptions options, Planner planner) {
    this.options = options;
    this.planner = planner;
  }

  @Override
  public Plan plan(Snapshot now) {
    return planner.up(now, OwnRevisions.CONSOLIDATION_001);
  }

  @Override
  public UpgradeResult nothingToDo(Snapshot now) {
    return new UpgradeResult(List.of(), List.of(), List.of(), List.of(), List.of());
  }

  @Override
  public UpgradeResult execute(Session session, Plan plan, Snapshot now, String searchPath) {
    Extension extension = now.extension();
    if (extension == null || !now.hostTableExists()) {
      throw new SchemaMismatchException(
          "There is nothing to adopt in "
              + options.schema()
              + ": the extension vector or the host's table "
              + options.hostTable().table()
              + " is not there. upgrade() makes what is missing",
          List.of());
    }
    HostCheck host = new HostCheck(options, extension);
    host.adoptable(session);
    List<String> warnings = new ArrayList<>(ExtensionCheck.warnings(extension));
    warnings.addAll(host.mapping(session, true, searchPath));
    List<Revision> found =
        found(session, now.hostTableAdopted(), Renderer.withExtensionIn(extension.schema()));
    History history = new History(options);
    if (plan.createsHistory()) {
      session.execute(
          "create the history",
          Renderer.withExtensionIn(extension.schema()).render(history.creation()).sql());
    }
    int position = plan.firstPosition();
    List<String> ids = new ArrayList<>();
    for (Revision revision : found) {
      if (now.has(revision.id())) {
        continue;
      }
      session.execute(
          new Statements.Planned(
              revision.id(),
              history.record(OwnRevisions.STREAM, position++, revision, List.of(), List.of())));
      ids.add(revision.id());
    }
    LOG.atInfo()
        .addKeyValue("schema", options.schema())
        .addKeyValue("revisions", ids)
        .log("Adopted the tables as they are");
    String note = "Adopted the tables of " + options.schema() + " as they were, as " + ids;
    return new UpgradeResult(ids, List.of(), List.of(), List.of(note), warnings);
  }

  /**
   * The most revisions that the database is without a difference, at least those up to {@code
   * consolidation_001}.
   */
  private List<Revision> found(Session session, boolean hostTableAdopted, Renderer renderer) {
    List<Revision> all = OwnRevisions.of(options, hostTableAdopted);
    for (int count = all.size(); ; count--) {
      List<Revision> revisions = all.subList(0, count);
      Definition definition = new Definition();
      revisions.stream()
          .flatMap(revision -> revision.changes().stream())
          .forEach((Change change) -> definition.apply(change));
      List<Difference> differences = new Verifier(session, renderer).differences(definition);
      if (differences.isEmpty()) {
        return revisions;
      }
      String last = revisions.get(count - 1).id();
      if (last.equals(OwnRevisions.CONSOLIDATION_001)) {
        Remedies remedies = new Remedies(definition, renderer);
        throw new SchemaMismatchException(
            "Nothing was recorded. The tables of " + options.schema() + " are not those of " + last,
            differences.stream().map(remedies::describe).toList());
      }
    }
  }

  @Override
  public UpgradeResult finish(Connection connection, UpgradeResult result) {
    return result;
  }
}
