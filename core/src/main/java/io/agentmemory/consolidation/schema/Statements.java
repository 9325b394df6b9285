package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.Identifiers;
import io.agentmemory.consolidation.ddl.Index;
import io.agentmemory.consolidation.ddl.QualifiedName;
import io.agentmemory.consolidation.ddl.Renderer;
import io.agentmemory.consolidation.ddl.SqlStatement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
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
   * A statement and what it belongs to.
   *
   * @param revision null for what surrounds the revisions
   * @param statement the statement
   * @param change the change it makes, or null if it keeps the history or surrounds the revisions
   * @param table the table it is about, or null if it is about none
   * @param online whether it runs outside of the transaction, after it
   */
  record Planned(
      @Nullable String revision,
      SqlStatement statement,
      @Nullable Change change,
      @Nullable QualifiedName table,
      boolean online) {

    Planned(@Nullable String revision, SqlStatement statement) {
      this(revision, statement, null, null, false);
    }
  }

  List<Planned> of(Plan plan) {
    return of(plan, Set.of());
  }

  /**
   * The statements of the transaction.
   *
   * @param deferred the indexes that are left to be made after it
   */
  List<Planned> of(Plan plan, Set<QualifiedName> deferred) {
    List<Planned> all = new ArrayList<>();
    if (plan.createsSchema()) {
      all.add(new Planned(null, createSchema()));
    }
    if (plan.createsHistory()) {
      all.add(ofHistory(history.creation()));
    }
    int position = plan.firstPosition();
    for (Plan.Step step : plan.steps()) {
      String id = step.revision().id();
      List<String> pending = new ArrayList<>();
      for (Change change : plan.changes(step)) {
        if (change instanceof Change.CreateIndex create
            && deferred.contains(create.index().qualifiedName())) {
          pending.add(create.index().qualifiedName().sql());
        } else {
          all.add(new Planned(id, render(change, step), change, change.target(), false));
        }
      }
      SqlStatement record =
          plan.direction() == Plan.Direction.UP
              ? history.record(step.stream(), position++, step.revision(), step.created(), pending)
              : history.forget(step.revision());
      all.add(new Planned(id, record, null, history.name(), false));
    }
    if (plan.dropsHistory()) {
      all.add(ofHistory(history.creation().inverse()));
    }
    return all;
  }

  private Planned ofHistory(Change change) {
    return new Planned(null, renderer.render(change), change, change.target(), false);
  }

  /** An index that was left to be made after the transaction need not be there. */
  private SqlStatement render(Change change, Plan.Step step) {
    if (change instanceof Change.DropIndex drop
        && step.pending().contains(drop.index().qualifiedName().sql())) {
      return new SqlStatement(
          "drop index " + drop.index().name() + " if it is there",
          "DROP INDEX IF EXISTS " + drop.index().qualifiedName().sql());
    }
    return renderer.render(change);
  }

  /** The statements that make the indexes of a plan that were deferred, and record that. */
  List<Planned> online(Plan plan, Set<QualifiedName> deferred) {
    List<Planned> all = new ArrayList<>();
    for (Plan.Step step : plan.steps()) {
      for (Change change : plan.changes(step)) {
        if (change instanceof Change.CreateIndex create
            && deferred.contains(create.index().qualifiedName())) {
          all.addAll(online(new PendingIndex(step.revision().id(), create.index())));
        }
      }
    }
    return all;
  }

  /** The statement that makes an index online, and the one that records that it is there. */
  List<Planned> online(PendingIndex pending) {
    Index index = pending.index();
    return List.of(
        new Planned(
            pending.revision(),
            renderer.renderConcurrently(index),
            Change.create(index),
            index.table(),
            true),
        new Planned(pending.revision(), history.settle(pending), null, history.name(), true));
  }

  /** The same for one transaction, in which writes of the table wait. */
  List<Planned> atOnce(PendingIndex pending) {
    Change create = Change.create(pending.index());
    return List.of(
        new Planned(pending.revision(), renderer.render(create), create, create.target(), false),
        new Planned(pending.revision(), history.settle(pending), null, history.name(), false));
  }

  private SqlStatement createSchema() {
    return new SqlStatement(
        "create schema " + options.schema(),
        "CREATE SCHEMA " + Identifiers.quoted(options.schema()));
  }
}
