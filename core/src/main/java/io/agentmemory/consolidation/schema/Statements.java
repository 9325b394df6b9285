package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.Identifiers;
import io.agentmemory.consolidation.ddl.Renderer;
import io.agentmemory.consolidation.ddl.SqlStatement;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The statements of a plan: what {@code upgrade()} runs and what a script holds. A schema that is
 * to be dropped is left to the caller, who may find something of somebody else's in it.
 */
final class Statements {
  private final SchemaOptions options;
  private final History history;
  private final Renderer renderer;

  Statements(SchemaOptions options, String extensionSchema) {
    this.options = options;
    this.history = new History(options);
    this.renderer = Renderer.withExtensionIn(extensionSchema);
  }

  /**
   * A statement and the revision it belongs to.
   *
   * @param revision null for what surrounds the revisions
   * @param statement the statement
   */
  record Planned(@Nullable String revision, SqlStatement statement) {}

  List<Planned> of(Plan plan) {
    List<Planned> all = new ArrayList<>();
    if (plan.createsSchema()) {
      all.add(new Planned(null, createSchema()));
    }
    if (plan.createsHistory()) {
      all.add(new Planned(null, renderer.render(history.creation())));
    }
    int position = plan.firstPosition();
    for (Plan.Step step : plan.steps()) {
      String id = step.revision().id();
      for (Change change : plan.changes(step)) {
        all.add(new Planned(id, renderer.render(change)));
      }
      all.add(
          new Planned(
              id,
              plan.direction() == Plan.Direction.UP
                  ? history.record(step.stream(), position++, step.revision(), step.created())
                  : history.forget(step.revision())));
    }
    if (plan.dropsHistory()) {
      all.add(new Planned(null, renderer.render(history.creation().inverse())));
    }
    return all;
  }

  private SqlStatement createSchema() {
    return new SqlStatement(
        "create schema " + options.schema(),
        "CREATE SCHEMA " + Identifiers.quoted(options.schema()));
  }
}
