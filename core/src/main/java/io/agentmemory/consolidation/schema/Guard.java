package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.ddl.QualifiedName;
import io.agentmemory.consolidation.ddl.Renderer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Stands before changes that take something away: locks the tables, so that nothing comes in
 * meanwhile, and looks for foreign objects and for data.
 */
final class Guard {
  private final Map<Change, String> reasons = new LinkedHashMap<>();
  private final Map<Change, String> conditions = new LinkedHashMap<>();
  private final Set<String> foreignQueries = new LinkedHashSet<>();
  private final Set<QualifiedName> tables = new LinkedHashSet<>();
  private final Set<QualifiedName> secured = new LinkedHashSet<>();
  private final boolean dataMayGo;

  Guard(Plan plan, Set<Hazard> allowed) {
    Renderer renderer = Renderer.withExtensionIn("public"); // no type is written here
    ForeignObjects foreign = new ForeignObjects(plan);
    dataMayGo = allowed.contains(Hazard.DELETES_DATA);
    Set<QualifiedName> made = new LinkedHashSet<>();
    for (Change change : plan.changes()) {
      if (change instanceof Change.CreateTable create) {
        made.add(create.target());
      }
      if (change instanceof Change.DisableRowSecurity disable) {
        secured.add(disable.target());
      }
      if (change.hazards().contains(Hazard.DELETES_DATA) && !made.contains(change.target())) {
        tables.add(change.target());
        foreign.query(change).ifPresent(foreignQueries::add);
        String condition = renderer.deletesData(change);
        if (condition != null) {
          conditions.put(change, condition);
          reasons.put(change, reason(change));
        }
      }
    }
  }

  private static String reason(Change change) {
    return change instanceof Change.DropColumns drop
        ? "table "
            + drop.target()
            + " has values in "
            + drop.columns().stream().map(c -> c.name()).collect(Collectors.joining(" or "))
        : "table " + change.target() + " has rows";
  }

  /**
   * Statements that lock the tables, and see to it that no policy hides rows: those that the plan
   * takes away no longer hold for the owner, any other makes the look for data fail. None if
   * nothing is taken away.
   */
  List<String> preparation() {
    if (tables.isEmpty()) {
      return List.of();
    }
    List<String> statements = new ArrayList<>();
    statements.add(
        "LOCK TABLE "
            + tables.stream().map(QualifiedName::sql).collect(Collectors.joining(", "))
            + " IN ACCESS EXCLUSIVE MODE");
    statements.add("SET LOCAL row_security = off");
    secured.forEach(
        table -> statements.add("ALTER TABLE " + table.sql() + " NO FORCE ROW LEVEL SECURITY"));
    return statements;
  }

  /** A query for descriptions of what would go along; empty if nothing is taken away. */
  Optional<String> foreignObjects() {
    return foreignQueries.isEmpty()
        ? Optional.empty()
        : Optional.of(String.join("\nUNION\n", foreignQueries));
  }

  /** Conditions under which data would go, and how to say so; none if that is allowed. */
  Map<String, String> dataConditions() {
    Map<String, String> byCondition = new LinkedHashMap<>();
    if (!dataMayGo) {
      conditions.forEach(
          (change, condition) ->
              byCondition.put(condition, Objects.requireNonNull(reasons.get(change))));
    }
    return byCondition;
  }

  void check(Session session) {
    preparation().forEach(sql -> session.execute("lock the tables and show their rows", sql));
    List<String> foreign = foreign(session);
    if (!foreign.isEmpty()) {
      throw new ChangeRefusedException(FOREIGN, foreign);
    }
    List<String> data = data(session);
    if (!data.isEmpty()) {
      throw new ChangeRefusedException(DATA, data);
    }
  }

  /** The foreign objects that would go along. */
  List<String> foreign(Session session) {
    return foreignObjects()
        .map(sql -> session.rows("look for foreign objects", sql))
        .orElse(List.of())
        .stream()
        .map(row -> String.valueOf(row.get(0)))
        .toList();
  }

  /** Where data is that would go, and may not. */
  List<String> data(Session session) {
    List<String> found = new ArrayList<>();
    dataConditions()
        .forEach(
            (condition, reason) -> {
              if (session.holds("look for data", condition)) {
                found.add(reason);
              }
            });
    return found;
  }

  static final String FOREIGN =
      "Refused: these objects are not the library's and would go along. Drop or move them first";

  static final String DATA =
      "Refused: data would be deleted. Save it, then allow it by Hazard.DELETES_DATA";
}
