package io.agentmemory.consolidation.ddl;

import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * One change of a schema. Each carries the whole definition of what it makes or takes away, so that
 * each has an inverse.
 *
 * <p>Immutable and thread-safe.
 */
public sealed interface Change {
  /**
   * The change that takes this one back.
   *
   * @return the inverse; its inverse is this change
   */
  Change inverse();

  /**
   * The table that is made, changed or taken away.
   *
   * @return its name
   */
  QualifiedName target();

  /**
   * What somebody has to allow before this runs on data.
   *
   * @return the hazards; empty for a change that only adds
   */
  default Set<Hazard> hazards() {
    return Set.of();
  }

  /**
   * Whether this only adds: what worked before goes on working.
   *
   * @return false if something is taken away
   */
  default boolean additive() {
    return true;
  }

  /**
   * Makes a table.
   *
   * @param table the table
   * @return the change
   */
  static Change create(Table table) {
    return new CreateTable(table);
  }

  /**
   * Makes an index.
   *
   * @param index the index
   * @return the change
   */
  static Change create(Index index) {
    return new CreateIndex(index);
  }

  /**
   * Adds columns to a table that exists.
   *
   * @param table the table
   * @param columns the columns, at least one
   * @return the change
   */
  static Change add(QualifiedName table, Column... columns) {
    return new AddColumns(table, List.of(columns));
  }

  /**
   * Takes a table away, with its rows. Its indexes must have been taken away before, so that the
   * inverse is whole.
   *
   * @param table the table as it stands
   * @return the change
   */
  static Change drop(Table table) {
    return new DropTable(table);
  }

  /**
   * Takes an index away.
   *
   * @param index the index as it stands
   * @return the change
   */
  static Change drop(Index index) {
    return new DropIndex(index);
  }

  /**
   * Takes columns away, with their values.
   *
   * @param table the table
   * @param columns the columns as they stand, at least one
   * @return the change
   */
  static Change drop(QualifiedName table, Column... columns) {
    return new DropColumns(table, List.of(columns));
  }

  /**
   * Makes a policy; it holds while the table's row-level security is {@linkplain #enableRowSecurity
   * enabled}.
   *
   * @param policy the policy
   * @return the change
   */
  static Change create(Policy policy) {
    return new CreatePolicy(policy);
  }

  /**
   * Enables row-level security on a table, for its owner as well. Not additive: who does not know
   * of it sees no rows.
   *
   * @param table the table
   * @return the change
   */
  static Change enableRowSecurity(QualifiedName table) {
    return new EnableRowSecurity(table);
  }

  /**
   * A table is made.
   *
   * @param table the table
   */
  record CreateTable(Table table) implements Change {
    /**
     * Refuses null.
     *
     * @param table the table
     */
    public CreateTable {
      Objects.requireNonNull(table, "table");
    }

    @Override
    public Change inverse() {
      return new DropTable(table);
    }

    @Override
    public QualifiedName target() {
      return table.name();
    }
  }

  /**
   * A table is taken away.
   *
   * @param table the table
   */
  record DropTable(Table table) implements Change {
    /**
     * Refuses null.
     *
     * @param table the table
     */
    public DropTable {
      Objects.requireNonNull(table, "table");
    }

    @Override
    public Change inverse() {
      return new CreateTable(table);
    }

    @Override
    public QualifiedName target() {
      return table.name();
    }

    @Override
    public Set<Hazard> hazards() {
      return Set.of(Hazard.DELETES_DATA);
    }

    @Override
    public boolean additive() {
      return false;
    }
  }

  /**
   * Columns are added.
   *
   * @param target the table
   * @param columns the columns
   */
  record AddColumns(QualifiedName target, List<Column> columns) implements Change {
    /**
     * Checks the columns.
     *
     * @param target the table
     * @param columns the columns
     */
    public AddColumns {
      columns = checked(target, columns);
    }

    @Override
    public Change inverse() {
      return new DropColumns(target, columns);
    }
  }

  /**
   * Columns are taken away.
   *
   * @param target the table
   * @param columns the columns
   */
  record DropColumns(QualifiedName target, List<Column> columns) implements Change {
    /**
     * Checks the columns.
     *
     * @param target the table
     * @param columns the columns
     */
    public DropColumns {
      columns = checked(target, columns);
    }

    @Override
    public Change inverse() {
      return new AddColumns(target, columns);
    }

    @Override
    public Set<Hazard> hazards() {
      return Set.of(Hazard.DELETES_DATA);
    }

    @Override
    public boolean additive() {
      return false;
    }
  }

  /**
   * An index is made.
   *
   * @param index the index
   */
  record CreateIndex(Index index) implements Change {
    /**
     * Refuses null.
     *
     * @param index the index
     */
    public CreateIndex {
      Objects.requireNonNull(index, "index");
    }

    @Override
    public Change inverse() {
      return new DropIndex(index);
    }

    @Override
    public QualifiedName target() {
      return index.table();
    }
  }

  /**
   * An index is taken away.
   *
   * @param index the index
   */
  record DropIndex(Index index) implements Change {
    /**
     * Refuses null.
     *
     * @param index the index
     */
    public DropIndex {
      Objects.requireNonNull(index, "index");
    }

    @Override
    public Change inverse() {
      return new CreateIndex(index);
    }

    @Override
    public QualifiedName target() {
      return index.table();
    }

    @Override
    public boolean additive() {
      return false;
    }
  }

  /**
   * A policy is made.
   *
   * @param policy the policy
   */
  record CreatePolicy(Policy policy) implements Change {
    /**
     * Refuses null.
     *
     * @param policy the policy
     */
    public CreatePolicy {
      Objects.requireNonNull(policy, "policy");
    }

    @Override
    public Change inverse() {
      return new DropPolicy(policy);
    }

    @Override
    public QualifiedName target() {
      return policy.table();
    }
  }

  /**
   * A policy is taken away.
   *
   * @param policy the policy
   */
  record DropPolicy(Policy policy) implements Change {
    /**
     * Refuses null.
     *
     * @param policy the policy
     */
    public DropPolicy {
      Objects.requireNonNull(policy, "policy");
    }

    @Override
    public Change inverse() {
      return new CreatePolicy(policy);
    }

    @Override
    public QualifiedName target() {
      return policy.table();
    }
  }

  /**
   * Row-level security is enabled, for the owner as well.
   *
   * @param target the table
   */
  record EnableRowSecurity(QualifiedName target) implements Change {
    /**
     * Refuses null.
     *
     * @param target the table
     */
    public EnableRowSecurity {
      Objects.requireNonNull(target, "target");
    }

    @Override
    public Change inverse() {
      return new DisableRowSecurity(target);
    }

    @Override
    public boolean additive() {
      return false;
    }
  }

  /**
   * Row-level security is disabled.
   *
   * @param target the table
   */
  record DisableRowSecurity(QualifiedName target) implements Change {
    /**
     * Refuses null.
     *
     * @param target the table
     */
    public DisableRowSecurity {
      Objects.requireNonNull(target, "target");
    }

    @Override
    public Change inverse() {
      return new EnableRowSecurity(target);
    }
  }

  private static List<Column> checked(QualifiedName table, List<Column> columns) {
    Objects.requireNonNull(table, "table");
    Set<String> names = new HashSet<>();
    for (Column column : columns) {
      if (!names.add(column.name())) {
        throw new IllegalArgumentException(
            "A change of " + table + " names the column " + column.name() + " twice");
      }
    }
    if (names.isEmpty()) {
      throw new IllegalArgumentException("A change of " + table + " names no column");
    }
    return List.copyOf(columns);
  }
}
