package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Change;
import java.util.List;

/**
 * What is to be done, in order.
 *
 * @param direction up or down
 * @param steps the revisions to apply, or to take back
 * @param firstPosition the position in the history of the first revision to apply
 * @param createsSchema whether the target schema is to be created
 * @param createsHistory whether the history table is to be created
 * @param dropsHistory whether nothing is left after it, so that the history goes too
 * @param dropsSchema whether the schema goes too, because an upgrade created it
 */
record Plan(
    Direction direction,
    List<Step> steps,
    int firstPosition,
    boolean createsSchema,
    boolean createsHistory,
    boolean dropsHistory,
    boolean dropsSchema) {

  enum Direction {
    UP,
    DOWN
  }

  /**
   * A revision to apply or to take back.
   *
   * @param stream the stream it belongs to
   * @param revision the revision
   * @param created what it creates beside its changes, as the history records it
   * @param pending indexes that the history records as still to be made, so that they need not be
   *     there when they are taken away
   */
  record Step(String stream, Revision revision, List<String> created, List<String> pending) {}

  boolean isEmpty() {
    return steps.isEmpty();
  }

  boolean has(String revision) {
    return steps.stream().anyMatch(step -> step.revision().id().equals(revision));
  }

  List<Change> changes(Step step) {
    return direction == Direction.UP ? step.revision().changes() : step.revision().inverse();
  }

  /** Whether something is taken away, for which nobody must be building. */
  boolean takesAway() {
    return !changes().stream().allMatch(Change::additive);
  }

  List<Change> changes() {
    return steps.stream().flatMap(step -> changes(step).stream()).toList();
  }

  List<String> revisions() {
    return steps.stream().map(step -> step.revision().id()).toList();
  }
}
