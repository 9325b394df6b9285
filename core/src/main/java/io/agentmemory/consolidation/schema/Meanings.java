package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.Column;
import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.ddl.QualifiedName;
import io.agentmemory.consolidation.schema.PlannedStatement.Work;
import io.agentmemory.consolidation.schema.Statements.Planned;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What the statements of a plan mean for the tables that exist. */
final class Meanings {
  /** Defaults that are the same for all rows, so that none of them is written. */
  private static final Pattern CONSTANT =
      Pattern.compile(
          "(?i)null|true|false|[-+]?[0-9.]+|'[^']*'(::[a-z ]+(\\[\\])?)?|now\\(\\)|current_\\w+");

  private final Map<QualifiedName, TableSize> sizes;
  private final Online online;
  private final Set<QualifiedName> deferred;

  Meanings(Plan plan, Map<QualifiedName, TableSize> sizes, Online online) {
    this.sizes = sizes;
    this.online = online;
    this.deferred = plan.direction() == Plan.Direction.UP ? deferred(plan.changes()) : Set.of();
  }

  /** The indexes that are made after the transaction. */
  Set<QualifiedName> deferred() {
    return deferred;
  }

  private Set<QualifiedName> deferred(List<Change> changes) {
    Set<QualifiedName> indexes = new HashSet<>();
    for (int i = 0; i < changes.size(); i++) {
      if (changes.get(i) instanceof Change.CreateIndex create) {
        QualifiedName table = create.target();
        boolean changedLater =
            changes.subList(i + 1, changes.size()).stream()
                .anyMatch(
                    later ->
                        later.target().equals(table)
                            && !later.additive()
                            && !(later instanceof Change.EnableRowSecurity));
        if (!changedLater && belongsOnline(sizes.get(table))) {
          indexes.add(create.index().qualifiedName());
        }
      }
    }
    return indexes;
  }

  /** A table without a size is made by the plan itself. */
  private boolean belongsOnline(@Nullable TableSize size) {
    if (size == null || size.partitioned()) {
      return false;
    }
    return switch (online.builds()) {
      case AUTOMATIC -> isLarge(size);
      case IN_TRANSACTION -> false;
      case ONLINE -> true;
    };
  }

  private boolean isLarge(TableSize size) {
    return size.bytes() >= online.threshold();
  }

  PlannedStatement of(Planned planned) {
    Change change = planned.change();
    QualifiedName table = planned.table();
    TableSize size = table == null ? null : sizes.get(table);
    Set<Hazard> hazards = EnumSet.noneOf(Hazard.class);
    Work work = Work.NONE;
    boolean deletes = false;
    if (size != null && change != null) {
      work = work(change);
      deletes = change.hazards().contains(Hazard.DELETES_DATA);
      hazards.addAll(change.hazards());
      Hazard hazard = hazardOfSize(change);
      if (hazard != null && isLarge(size) && !planned.online()) {
        hazards.add(hazard);
      }
    }
    return new PlannedStatement(
        planned.revision(),
        planned.statement().name(),
        planned.statement().sql(),
        lock(planned),
        table,
        size != null,
        size == null ? 0 : size.bytes(),
        work,
        deletes,
        planned.online(),
        hazards);
  }

  private static @Nullable LockMode lock(Planned planned) {
    if (planned.table() == null) {
      return null;
    }
    if (planned.change() == null) {
      return LockMode.ROW_EXCLUSIVE;
    }
    if (planned.change() instanceof Change.CreateIndex) {
      return planned.online() ? LockMode.SHARE_UPDATE_EXCLUSIVE : LockMode.SHARE;
    }
    return LockMode.ACCESS_EXCLUSIVE;
  }

  /** What a change in a transaction means where its table is large; null for nothing. */
  static @Nullable Hazard hazardOfSize(Change change) {
    return switch (work(change)) {
      case NONE -> null;
      case SCAN -> Hazard.BLOCKS_FOR_LONG;
      case REWRITE -> Hazard.REWRITES_LARGE_TABLE;
    };
  }

  private static Work work(Change change) {
    if (change instanceof Change.CreateIndex) {
      return Work.SCAN;
    }
    return change instanceof Change.AddColumns add
            && add.columns().stream().anyMatch(Meanings::writesRows)
        ? Work.REWRITE
        : Work.NONE;
  }

  private static boolean writesRows(Column column) {
    String value = column.defaultValue();
    return column.generatedAs() != null
        || (value != null && !CONSTANT.matcher(value.strip()).matches());
  }

  /**
   * Refuses what nobody allowed. Whether data would be deleted is left to {@link Guard}, who looks
   * whether there is any.
   */
  void refuse(List<Planned> statements, Set<Hazard> allowed) {
    List<String> reasons =
        statements.stream()
            .map(this::of)
            .flatMap(each -> each.hazards().stream().map(hazard -> reason(each, hazard, allowed)))
            .filter(reason -> !reason.isEmpty())
            .toList();
    if (!reasons.isEmpty()) {
      throw new ChangeRefusedException(
          "Refused: this would keep others from a large table. Look at plan(), then allow it by"
              + " Schema.allowing",
          reasons);
    }
  }

  private static String reason(PlannedStatement each, Hazard hazard, Set<Hazard> allowed) {
    return hazard == Hazard.DELETES_DATA || allowed.contains(hazard)
        ? ""
        : "Hazard."
            + hazard
            + ": "
            + each.name()
            + ", table "
            + each.table()
            + " of "
            + UpgradePlan.size(each.tableBytes());
  }
}
