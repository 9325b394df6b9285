package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.Check;
import io.agentmemory.consolidation.ddl.Column;
import io.agentmemory.consolidation.ddl.Index;
import io.agentmemory.consolidation.ddl.Policy;
import io.agentmemory.consolidation.ddl.QualifiedName;
import io.agentmemory.consolidation.ddl.Table;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** What a sequence of changes amounts to: the tables as they should stand. */
final class Definition {
  private final Map<QualifiedName, Part> parts = new LinkedHashMap<>();

  /**
   * A table, or as much of somebody else's as is defined here.
   *
   * @param whole whether the table is defined here, with nothing beside it
   * @param table its columns, primary key and checks
   * @param indexes its indexes
   * @param policies its policies
   * @param secured whether its row-level security is enabled, for its owner as well
   */
  record Part(
      boolean whole, Table table, List<Index> indexes, List<Policy> policies, boolean secured) {
    static Part of(boolean whole, Table table) {
      return new Part(whole, table, List.of(), List.of(), false);
    }

    Part with(Table other) {
      return new Part(whole, other, indexes, policies, secured);
    }

    Part withIndexes(List<Index> others) {
      return new Part(whole, table, others, policies, secured);
    }

    Part withPolicies(List<Policy> others) {
      return new Part(whole, table, indexes, others, secured);
    }

    Part withSecured(boolean other) {
      return new Part(whole, table, indexes, policies, other);
    }

    /** The same with every expression as {@code restated} has it. */
    Part restated(Map<String, String> restated) {
      List<Column> columns = new ArrayList<>();
      for (Column column : table.columns()) {
        String expression = restated.get("column " + column.name());
        boolean generated = column.generatedAs() != null;
        columns.add(
            expression == null
                ? column
                : new Column(
                    column.name(),
                    column.type(),
                    column.nullable(),
                    generated ? null : expression,
                    generated ? expression : null));
      }
      List<Check> checks = new ArrayList<>();
      for (Check check : table.checks()) {
        String condition = restated.getOrDefault("check " + check.name(), check.condition());
        checks.add(new Check(check.name(), condition));
      }
      List<Index> others = new ArrayList<>();
      for (Index index : indexes) {
        others.add(
            new Index(
                index.name(),
                index.table(),
                index.method(),
                index.keys(),
                index.unique(),
                restated.get("where " + index.name()),
                index.parameters(),
                index.include()));
      }
      return with(new Table(table.name(), columns, table.primaryKey(), checks)).withIndexes(others);
    }

    /** Whether a path of {@link Verifier} is about something that is defined here. */
    boolean defines(String path) {
      return whole
          || table.columns().stream().anyMatch(c -> path.startsWith("column " + c.name() + " "))
          || indexes.stream().anyMatch(i -> (path + " ").startsWith("index " + i.name() + " "));
    }

    /**
     * The changes that make this part under another name, empty. Of somebody else's table there is
     * a copy of that name already, without the columns that are defined here.
     */
    List<Change> copy(QualifiedName name) {
      List<Change> changes = new ArrayList<>();
      changes.add(
          whole
              ? Change.create(new Table(name, table.columns(), table.primaryKey(), table.checks()))
              : Change.add(name, table.columns().toArray(Column[]::new)));
      for (Index index : indexes) {
        Index copy =
            new Index(
                index.name(),
                name,
                index.method(),
                index.keys(),
                index.unique(),
                index.where(),
                index.parameters(),
                index.include());
        changes.add(Change.create(copy));
      }
      for (Policy policy : policies) {
        changes.add(Change.create(new Policy(policy.name(), name, policy.condition())));
      }
      if (secured) {
        changes.add(Change.enableRowSecurity(name));
      }
      return changes;
    }
  }

  List<Part> parts() {
    return List.copyOf(parts.values());
  }

  void apply(Change change) {
    if (change instanceof Change.CreateTable create) {
      parts.put(create.target(), Part.of(true, create.table()));
    } else if (change instanceof Change.DropTable drop) {
      parts.remove(drop.target());
    } else if (change instanceof Change.AddColumns add) {
      columns(add.target(), add.columns(), true);
    } else if (change instanceof Change.DropColumns drop) {
      columns(drop.target(), drop.columns(), false);
    } else if (change instanceof Change.CreateIndex create) {
      index(create.index(), true);
    } else if (change instanceof Change.DropIndex drop) {
      index(drop.index(), false);
    } else if (change instanceof Change.CreatePolicy create) {
      policy(create.policy(), true);
    } else if (change instanceof Change.DropPolicy drop) {
      policy(drop.policy(), false);
    } else if (change instanceof Change.EnableRowSecurity enable) {
      secured(enable.target(), true);
    } else if (change instanceof Change.DisableRowSecurity disable) {
      secured(disable.target(), false);
    }
  }

  private void columns(QualifiedName name, List<Column> columns, boolean added) {
    Part part = parts.get(name);
    List<Column> all = new ArrayList<>(part == null ? List.of() : part.table().columns());
    all.removeAll(columns);
    if (added) {
      all.addAll(columns);
    }
    if (all.isEmpty()) {
      parts.remove(name);
      return;
    }
    parts.put(
        name,
        part == null
            ? Part.of(false, new Table(name, all, List.of(), List.of()))
            : part.with(new Table(name, all, part.table().primaryKey(), part.table().checks())));
  }

  /** An index of a table of which nothing else is defined here has no twin: left aside. */
  private void index(Index index, boolean added) {
    parts.computeIfPresent(
        index.table(),
        (name, part) -> part.withIndexes(changed(part.indexes(), index, Index::name, added)));
  }

  /** Like {@link #index}. */
  private void policy(Policy policy, boolean added) {
    parts.computeIfPresent(
        policy.table(),
        (name, part) -> part.withPolicies(changed(part.policies(), policy, Policy::name, added)));
  }

  /** Like {@link #index}. */
  private void secured(QualifiedName table, boolean secured) {
    parts.computeIfPresent(table, (name, part) -> part.withSecured(secured));
  }

  /** The same without those of its name, and with it at the end if it is added. */
  private static <T> List<T> changed(
      List<T> before, T one, Function<T, String> name, boolean added) {
    List<T> after = new ArrayList<>(before);
    after.removeIf(other -> name.apply(other).equals(name.apply(one)));
    if (added) {
      after.add(one);
    }
    return after;
  }
}
