package io.agentmemory.consolidation.ddl;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * An index. It stands in the schema of its table.
 *
 * <p>Immutable and thread-safe.
 *
 * @param name its name, without quotes
 * @param table the table
 * @param method how it is kept
 * @param keys what it finds by, at least one
 * @param unique whether it refuses equal keys; for a b-tree
 * @param where the condition on the rows it holds as SQL, or null for every row
 * @param parameters its storage parameters, for example {@code m} of an HNSW index
 * @param include the names of columns that it holds beside its keys, without finding by them; for a
 *     b-tree
 */
public record Index(
    String name,
    QualifiedName table,
    IndexMethod method,
    List<IndexKey> keys,
    boolean unique,
    @Nullable String where,
    Map<String, Integer> parameters,
    List<String> include) {
  /**
   * Checks that the parts fit together.
   *
   * @param name its name, without quotes
   * @param table the table
   * @param method how it is kept
   * @param keys what it finds by, at least one
   * @param unique whether it refuses equal keys; for a b-tree
   * @param where the condition on the rows it holds as SQL, or null for every row
   * @param parameters its storage parameters, for example {@code m} of an HNSW index
   * @param include the names of columns that it holds beside its keys, without finding by them; for
   *     a b-tree
   */
  public Index {
    Identifiers.check("index", name);
    Objects.requireNonNull(table, "table");
    Objects.requireNonNull(method, "method");
    keys = List.copyOf(keys);
    parameters = Collections.unmodifiableMap(new TreeMap<>(parameters));
    include = List.copyOf(include);
    include.forEach(column -> Identifiers.check("column", column));
    Expressions.checkOptional("condition of index " + name, where);
    if (keys.isEmpty()) {
      throw new IllegalArgumentException("Index " + name + " has no key");
    }
    if (method == IndexMethod.HNSW && keys.size() > 1) {
      throw new IllegalArgumentException("HNSW takes one key, index " + name + " has several");
    }
    if (method == IndexMethod.HNSW && keys.get(0).operatorClass() == null) {
      throw new IllegalArgumentException(
          "HNSW has no default operator class, index "
              + name
              + " must name one, for example vector_cosine_ops");
    }
    if (method != IndexMethod.BTREE && (unique || keys.stream().anyMatch(IndexKey::descending))) {
      throw new IllegalArgumentException(
          "Only a b-tree can be unique or descending, index " + name + " is " + method);
    }
    if (method != IndexMethod.BTREE && !include.isEmpty()) {
      throw new IllegalArgumentException(
          "Only a b-tree can include columns, index " + name + " is " + method);
    }
    for (String parameter : parameters.keySet()) {
      if (!parameter.matches("[a-z_]+")) {
        throw new IllegalArgumentException(
            "Index " + name + " has the parameter " + parameter + "; a-z and _ alone are taken");
      }
    }
  }

  /**
   * A b-tree over columns, ascending.
   *
   * @param name its name
   * @param table the table
   * @param columns the names of the columns
   * @return the index
   */
  public static Index btree(String name, QualifiedName table, String... columns) {
    List<IndexKey> keys = List.of(columns).stream().map(IndexKey::column).toList();
    return new Index(name, table, IndexMethod.BTREE, keys, false, null, Map.of(), List.of());
  }

  /**
   * A GIN index over columns.
   *
   * @param name its name
   * @param table the table
   * @param columns the names of the columns
   * @return the index
   */
  public static Index gin(String name, QualifiedName table, String... columns) {
    List<IndexKey> keys = List.of(columns).stream().map(IndexKey::column).toList();
    return new Index(name, table, IndexMethod.GIN, keys, false, null, Map.of(), List.of());
  }

  /**
   * An HNSW index with pgvector's own parameters.
   *
   * @param name its name
   * @param table the table
   * @param column the name of the column
   * @param operatorClass for example {@code vector_cosine_ops}
   * @return the index
   */
  public static Index hnsw(String name, QualifiedName table, String column, String operatorClass) {
    IndexKey key = IndexKey.column(column).withOperatorClass(operatorClass);
    return new Index(name, table, IndexMethod.HNSW, List.of(key), false, null, Map.of(), List.of());
  }

  /**
   * The same over other keys.
   *
   * @param others the keys, at least one
   * @return another index
   */
  public Index withKeys(IndexKey... others) {
    return new Index(name, table, method, List.of(others), unique, where, parameters, include);
  }

  /**
   * The same, refusing equal keys.
   *
   * @return another index
   */
  public Index asUnique() {
    return new Index(name, table, method, keys, true, where, parameters, include);
  }

  /**
   * The same over the rows that meet a condition.
   *
   * @param condition the condition as SQL
   * @return another index
   */
  public Index where(String condition) {
    return new Index(name, table, method, keys, unique, condition, parameters, include);
  }

  /**
   * The same with one storage parameter more.
   *
   * @param parameter its name, for example {@code ef_construction}
   * @param value its value
   * @return another index
   */
  public Index with(String parameter, int value) {
    Map<String, Integer> more = new TreeMap<>(parameters);
    more.put(parameter, value);
    return new Index(name, table, method, keys, unique, where, more, include);
  }

  /**
   * The same holding columns beside its keys, so that queries find their values without the table.
   *
   * @param columns the names of the columns
   * @return another index
   */
  public Index including(String... columns) {
    return new Index(name, table, method, keys, unique, where, parameters, List.of(columns));
  }

  /**
   * The index's own name with its schema.
   *
   * @return the schema of the table, and the index's name
   */
  public QualifiedName qualifiedName() {
    return new QualifiedName(table.schema(), name);
  }
}
