package io.agentmemory.consolidation.ddl;

import org.jspecify.annotations.Nullable;

/**
 * What an index orders or finds by: a column or an expression.
 *
 * <p>Immutable and thread-safe.
 *
 * @param term the column's name without quotes, or an expression as SQL
 * @param expression whether the term is an expression
 * @param operatorClass the bare name of the operator class, of pgvector for an HNSW index and of
 *     {@code pg_catalog} for any other; null for the type's default
 * @param descending whether the order is descending, for a b-tree
 */
public record IndexKey(
    String term, boolean expression, @Nullable String operatorClass, boolean descending) {
  /** Stands for the quoted name of pgvector's schema in an expression. */
  public static final String EXTENSION = "{extension}";

  /**
   * Checks the names.
   *
   * @param term the column's name without quotes, or an expression as SQL
   * @param expression whether the term is an expression
   * @param operatorClass the bare name of the operator class, of pgvector for an HNSW index and of
   *     {@code pg_catalog} for any other; null for the type's default
   * @param descending whether the order is descending, for a b-tree
   */
  public IndexKey {
    if (expression) {
      Expressions.check("expression of an index", term);
    } else {
      Identifiers.check("column", term);
    }
    if (operatorClass != null) {
      Identifiers.check("operator class", operatorClass);
    }
  }

  /**
   * A column.
   *
   * @param name its name, without quotes
   * @return the key
   */
  public static IndexKey column(String name) {
    return new IndexKey(name, false, null, false);
  }

  /**
   * An expression over the columns of a row.
   *
   * @param sql the expression; it must be immutable. {@value #EXTENSION} in it stands for the
   *     quoted name of the schema that pgvector lives in
   * @return the key
   */
  public static IndexKey expression(String sql) {
    return new IndexKey(sql, true, null, false);
  }

  /**
   * The same with an operator class.
   *
   * @param name its bare name
   * @return another key
   */
  public IndexKey withOperatorClass(String name) {
    return new IndexKey(term, expression, name, descending);
  }

  /**
   * The same in descending order.
   *
   * @return another key
   */
  public IndexKey inDescendingOrder() {
    return new IndexKey(term, expression, operatorClass, true);
  }
}
