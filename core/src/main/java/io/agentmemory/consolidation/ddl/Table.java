package io.agentmemory.consolidation.ddl;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * A table: its columns in their order, primary key and checks. Its primary key is named {@code
 * <table>_pkey}.
 *
 * <p>Immutable and thread-safe.
 *
 * @param name its name
 * @param columns its columns, at least one
 * @param primaryKey the names of the columns of its primary key; empty for none
 * @param checks its check constraints
 */
public record Table(
    QualifiedName name, List<Column> columns, List<String> primaryKey, List<Check> checks) {
  /**
   * Checks that the parts fit together.
   *
   * @param name its name
   * @param columns its columns, at least one
   * @param primaryKey the names of the columns of its primary key; empty for none
   * @param checks its check constraints
   */
  public Table {
    Objects.requireNonNull(name, "name");
    columns = List.copyOf(columns);
    primaryKey = List.copyOf(primaryKey);
    checks = List.copyOf(checks);
    if (columns.isEmpty()) {
      throw new IllegalArgumentException("Table " + name + " has no column");
    }
    Set<String> names = new HashSet<>();
    for (Column column : columns) {
      refuseTwice(names.add(column.name()), "column", column.name(), name);
    }
    for (String key : primaryKey) {
      if (!names.contains(key)) {
        throw new IllegalArgumentException(
            "The primary key of table " + name + " names the column " + key + ", which it has not");
      }
    }
    Set<String> constraints = new HashSet<>();
    if (!primaryKey.isEmpty()) {
      constraints.add(Identifiers.check("primary key", name.name() + "_pkey"));
    }
    for (Check check : checks) {
      refuseTwice(constraints.add(check.name()), "constraint", check.name(), name);
    }
  }

  private static void refuseTwice(boolean first, String what, String part, QualifiedName table) {
    if (!first) {
      throw new IllegalArgumentException(
          "Table " + table + " has the " + what + " " + part + " twice");
    }
  }

  /**
   * A table of these columns, without a primary key or checks.
   *
   * @param name its name
   * @param columns its columns, at least one
   * @return the table
   */
  public static Table of(QualifiedName name, Column... columns) {
    return new Table(name, List.of(columns), List.of(), List.of());
  }

  /**
   * The same with a primary key.
   *
   * @param columnNames the names of its columns
   * @return another table
   */
  public Table withPrimaryKey(String... columnNames) {
    return new Table(name, columns, List.of(columnNames), checks);
  }

  /**
   * The same with one check more.
   *
   * @param constraintName the constraint's name
   * @param condition the condition as SQL
   * @return another table
   */
  public Table withCheck(String constraintName, String condition) {
    List<Check> more = new ArrayList<>(checks);
    more.add(new Check(constraintName, condition));
    return new Table(name, columns, primaryKey, more);
  }

  /**
   * The name of the primary key constraint.
   *
   * @return {@code <table>_pkey}
   */
  public String primaryKeyName() {
    return name.name() + "_pkey";
  }
}
