package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Hazard;
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
  private final @Nullable String target;

  Upgrader(SchemaOptions options, Planner planner, Set<Hazard> allowed, @Nullable String target) {
    this.options = options;
    this.planner = planner;
    this.allowed = allowed;
    this.target = target;
  }

  @Override
  public Plan plan(Snapshot now) {
    return planner.up(now, target);
  }

  @Override
  public UpgradeResult nothingToDo(Snapshot now) {
    List<String> warnings = ExtensionCheck.warnings(now.extension());
    return new UpgradeResult(List.of(), List.of(), warnings);
  }

  @Override
  public UpgradeResult execute(Session session, Plan plan, Snapshot now, String searchPath) {
    List<String> notes = new ArrayList<>();
    Extension extension = ExtensionCheck.ensure(session, now, notes);
    List<String> warnings = new ArrayList<>(ExtensionCheck.warnings(extension));
    HostCheck host = new HostCheck(options, extension);
    boolean first = plan.has(OwnRevisions.TASK_MEMORIES_001);
    if (first && now.hostTableAdopted()) {
      host.adoptable(session);
      notes.add("Adopted the host's table " + options.hostTable().table());
    }
    new Guard(plan, allowed).check(session);
    new Statements(options, extension.schema()).of(plan).forEach(session::execute);
    if (first) {
      warnings.addAll(host.mapping(session, now.hostTableAdopted(), searchPath));
    }
    LOG.info("Schema {}: applied {}", options.schema(), plan.revisions());
    return new UpgradeResult(plan.revisions(), notes, warnings);
  }
}
