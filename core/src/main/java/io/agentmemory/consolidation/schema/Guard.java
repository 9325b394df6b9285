package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.ddl.Identifiers;
import io.agentmemory.consolidation.ddl.QualifiedName;
import io.agentmemory.consolidation.ddl.Renderer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Stands before changes that take something away: locks the tables, so that nothing comes in
 * meanwhile, and looks for foreign objects and for data.
 */
final class Guard {
  private final Map<Change, String> conditions = new LinkedHashMap<>();
  private final Set<String> foreignQueries = new LinkedHashSet<>();
  private final Set<QualifiedName> tables = new LinkedHashSet<>();
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
      if (change.hazards().contains(Hazard.DELETES_DATA) && !made.contains(change.target())) {
        tables.add(change.target());
        foreign.query(change).ifPresent(foreignQueries::add);
        String condition = renderer.deletesData(change);
        if (condition != null) {
          conditions.put(change, condition);
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
   * Statements that lock the tables, and have a look for data fail rather than see only the rows
   * that a policy shows. None if nothing is taken away.
   */
  List<String> preparation() {
    return tables.isEmpty()
        ? List.of()
        : List.of(
            "LOCK TABLE "
                + tables.stream().map(QualifiedName::sql).collect(Collectors.joining(", "))
                + " IN ACCESS EXCLUSIVE MODE",
            "SET LOCAL row_security = off");
  }

  /** A query for those of the tables of which policies hide rows from this role; empty if none. */
  Optional<String> hidden() {
    return dataConditions().isEmpty()
        ? Optional.empty()
        : Optional.of(
            tables.stream()
                .map(table -> "(" + Identifiers.literal(table.sql()) + ")")
                .collect(
                    Collectors.joining(
                        ", ",
                        "SELECT t.name FROM (VALUES ",
                        ") AS t(name) WHERE row_security_active(to_regclass(t.name))")));
  }

  /** Between these two the owner of a table sees all of its rows; others never do. */
  static final String SHOW = " NO FORCE ROW LEVEL SECURITY";

  static final String HIDE = " FORCE ROW LEVEL SECURITY";

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
      conditions.forEach((change, condition) -> byCondition.put(condition, reason(change)));
    }
    return byCondition;
  }

  void check(Session session) {
    preparation().forEach(sql -> session.execute("lock the tables", sql));
    List<String> foreign = foreign(session);
    if (!foreign.isEmpty()) {
      throw new ChangeRefusedException(FOREIGN, foreign);
    }
    Set<String> hidden = hidden(session);
    hidden.forEach(table -> session.execute("show its rows", "ALTER TABLE " + table + SHOW));
    List<String> data = data(session, Set.of());
    if (!data.isEmpty()) {
      throw new ChangeRefusedException(DATA, data);
    }
    hidden.forEach(table -> session.execute("hide its rows", "ALTER TABLE " + table + HIDE));
  }

  /** Why {@link #check} would refuse, as far as can be seen without changing anything. */
  List<String> obstacles(Session session) {
    List<String> found = new ArrayList<>(foreign(session));
    found.addAll(data(session, hidden(session)));
    return found;
  }

  private Set<String> hidden(Session session) {
    Set<String> found = new LinkedHashSet<>();
    hidden()
        .ifPresent(
            sql ->
                session
                    .rows("look for hidden rows", sql)
                    .forEach(row -> found.add(String.valueOf(row.get(0)))));
    return found;
  }

  /** The foreign objects that would go along. */
  private List<String> foreign(Session session) {
    return foreignObjects()
        .map(sql -> session.rows("look for foreign objects", sql))
        .orElse(List.of())
        .stream()
        .map(row -> String.valueOf(row.get(0)))
        .toList();
  }

  /** Where data is that would go, and may not. */
  private List<String> data(Session session, Set<String> hidden) {
    List<String> found = new ArrayList<>();
    if (!dataMayGo) {
      conditions.forEach(
          (change, condition) -> {
            if (hidden.contains(change.target().sql())) {
              found.add(UNSEEN.formatted(reason(change)));
            } else if (session.holds("look for data", condition)) {
              found.add(reason(change));
            }
          });
    }
    return found;
  }

  private static final String UNSEEN =
      "whether %s cannot be seen: row-level security hides its rows from this role";

  static final String FOREIGN =
      "Refused: these objects are not the library's and would go along. Drop or move them first";

  static final String DATA =
      "Refused: data would be deleted. Save it, then allow it by Hazard.DELETES_DATA";
}
