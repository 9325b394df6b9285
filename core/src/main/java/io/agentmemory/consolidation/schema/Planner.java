package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.Index;
import io.agentmemory.consolidation.ddl.IndexMethod;
import io.agentmemory.consolidation.ddl.QualifiedName;
import io.agentmemory.consolidation.schema.Plan.Direction;
import io.agentmemory.consolidation.schema.Plan.Step;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/** Decides what is to be done: a pure function of what is there and what is wanted. */
final class Planner {
  private final SchemaOptions options;
  private final List<Changelog> changelogs;

  Planner(SchemaOptions options, List<Changelog> changelogs) {
    this.options = options;
    this.changelogs = changelogs;
    Set<String> names = new HashSet<>();
    Set<String> ids = new HashSet<>();
    for (Changelog changelog : changelogs) {
      if (!names.add(changelog.name())) {
        throw new IllegalArgumentException("Two changelogs are named " + changelog.name());
      }
      for (Revision revision : changelog.revisions()) {
        if (!ids.add(revision.id())) {
          throw new IllegalArgumentException(
              "Two changelogs have a revision named " + revision.id());
        }
      }
    }
  }

  /** The streams in the order in which they are applied, the library's first. */
  Map<String, List<Revision>> streams(boolean hostTableAdopted) {
    Map<String, List<Revision>> streams = new LinkedHashMap<>();
    streams.put(OwnRevisions.STREAM, OwnRevisions.of(options, hostTableAdopted));
    changelogs.forEach(changelog -> streams.put(changelog.name(), changelog.revisions()));
    return streams;
  }

  /**
   * Plans the way up.
   *
   * @param target the last revision to apply, or null for all of every stream
   */
  Plan up(Snapshot now, @Nullable String target) {
    Map<String, List<Revision>> streams = streams(now.hostTableAdopted());
    new RecordCheck(options, streams).check(now);
    Set<String> wanted = target == null ? null : upTo(streams, target);
    boolean createsSchema = !now.schemaExists();
    List<String> unmade = now.applied().stream().flatMap(row -> row.pending().stream()).toList();
    List<Step> steps = new ArrayList<>();
    streams.forEach(
        (stream, revisions) -> {
          for (Revision revision : revisions) {
            if (!now.has(revision.id()) && (wanted == null || wanted.contains(revision.id()))) {
              steps.add(new Step(stream, revision, created(revision, createsSchema), unmade));
            }
          }
        });
    int last = now.applied().stream().mapToInt(Applied::position).max().orElse(0);
    boolean createsHistory = !now.historyExists();
    return new Plan(Direction.UP, steps, last + 1, createsSchema, createsHistory, false, false);
  }

  private static List<String> created(Revision revision, boolean createsSchema) {
    List<String> created = new ArrayList<>();
    if (revision.id().equals(OwnRevisions.TASK_MEMORIES_001)) {
      if (createsSchema) {
        created.add(History.CREATED_SCHEMA);
      }
      if (!revision.changes().isEmpty()) {
        created.add(History.CREATED_HOST_TABLE);
      }
    }
    return created;
  }

  /** The target, what comes before it in its stream, and what of the library's these require. */
  private static Set<String> upTo(Map<String, List<Revision>> streams, String target) {
    for (List<Revision> revisions : streams.values()) {
      Set<String> wanted = new HashSet<>();
      for (Revision revision : revisions) {
        wanted.add(revision.id());
        if (revision.requires() != null) {
          wanted.addAll(upTo(streams, revision.requires()));
        }
        if (revision.id().equals(target)) {
          return wanted;
        }
      }
    }
    throw unknown(streams, target);
  }

  private static IllegalArgumentException unknown(
      Map<String, List<Revision>> streams, String target) {
    List<String> known = streams.values().stream().flatMap(List::stream).map(Revision::id).toList();
    return new IllegalArgumentException("No revision " + target + "; there are " + known);
  }

  /**
   * The indexes still to be made online, of the revisions that are defined here, and not taken away
   * by later ones.
   */
  List<PendingIndex> pending(Snapshot now) {
    return indexes(now, (row, index) -> row.pending().contains(index.qualifiedName().sql()));
  }

  /** The HNSW indexes that a table should have by what is applied, made or still to be made. */
  List<PendingIndex> hnsw(Snapshot now, QualifiedName table) {
    return indexes(
        now, (row, index) -> index.method() == IndexMethod.HNSW && index.table().equals(table));
  }

  private List<PendingIndex> indexes(Snapshot now, BiPredicate<Applied, Index> wanted) {
    List<PendingIndex> found = new ArrayList<>();
    Set<QualifiedName> gone = new HashSet<>();
    Map<String, List<Revision>> streams = streams(now.hostTableAdopted());
    for (Applied row : now.applied()) {
      streams.getOrDefault(row.stream(), List.of()).stream()
          .filter(revision -> revision.id().equals(row.revision()))
          .flatMap(revision -> revision.changes().stream())
          .forEach(
              change -> {
                if (change instanceof Change.CreateIndex create
                    && wanted.test(row, create.index())) {
                  found.add(new PendingIndex(row.revision(), create.index()));
                } else if (change instanceof Change.DropIndex drop) {
                  gone.add(drop.index().qualifiedName());
                }
              });
    }
    found.removeIf(each -> gone.contains(each.index().qualifiedName()));
    return found;
  }

  /** Plans the way back of the one revision that was applied last. */
  Plan downOne(Snapshot now) {
    return down(now, now.applied().isEmpty() ? Set.of() : Set.of(last(now).revision()));
  }

  private static Applied last(Snapshot now) {
    return now.applied().get(now.applied().size() - 1);
  }

  /**
   * Plans the way back to a revision: everything above it in its stream, and whatever of the
   * applications requires that.
   */
  Plan downTo(Snapshot now, String target) {
    Map<String, List<Revision>> streams = streams(now.hostTableAdopted());
    if (streams.values().stream().flatMap(List::stream).noneMatch(r -> r.id().equals(target))) {
      throw unknown(streams, target);
    }
    Applied kept =
        now.applied(target)
            .orElseThrow(
                () ->
                    new SchemaException(
                        "Cannot downgrade to " + target + ": it is not applied. Upgrade to it"));
    Set<String> undone = new HashSet<>();
    for (Applied row : now.applied()) {
      boolean above = row.stream().equals(kept.stream()) && row.position() > kept.position();
      boolean follows = now.applied().stream().anyMatch(earlier -> follows(row, earlier, undone));
      if (above || follows) {
        undone.add(row.revision());
      }
    }
    return down(now, undone);
  }

  /** Whether a row cannot stay once an earlier one is undone. */
  private static boolean follows(Applied row, Applied earlier, Set<String> undone) {
    return undone.contains(earlier.revision())
        && (earlier.revision().equals(row.requires())
            || (earlier.stream().equals(row.stream()) && row.position() > earlier.position()));
  }

  /** Plans the way back to nothing. */
  Plan downToNothing(Snapshot now) {
    Set<String> all = new HashSet<>();
    now.applied().forEach(row -> all.add(row.revision()));
    return down(now, all);
  }

  private Plan down(Snapshot now, Set<String> undone) {
    Map<String, List<Revision>> streams = streams(now.hostTableAdopted());
    new RecordCheck(options, streams).check(now);
    List<Step> steps = new ArrayList<>();
    boolean dropsSchema = false;
    for (Applied row : now.applied()) {
      if (undone.contains(row.revision())) {
        dropsSchema |= row.created().contains(History.CREATED_SCHEMA);
        steps.add(
            0, new Step(row.stream(), definition(streams, row), row.created(), row.pending()));
      }
    }
    boolean dropsHistory = now.historyExists() && undone.size() == now.applied().size();
    return new Plan(
        Direction.DOWN, steps, 0, false, false, dropsHistory, dropsHistory && dropsSchema);
  }

  private static Revision definition(Map<String, List<Revision>> streams, Applied row) {
    return streams.getOrDefault(row.stream(), List.of()).stream()
        .filter(revision -> revision.id().equals(row.revision()))
        .findFirst()
        .orElseThrow(
            () ->
                new SchemaException(
                    "Cannot take back "
                        + row.revision()
                        + " of "
                        + row.stream()
                        + ": its definition is not here. Use the version of the library that applied"
                        + " it, or give the application's changelog by Schema.with"));
  }
}
