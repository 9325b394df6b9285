package io.agentmemory.consolidation.ddl;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A column of a table. Expressions are SQL of the developer's, resolved in {@code pg_catalog}
 * alone: qualify whatever is not found there.
 *
 * <p>Immutable and thread-safe.
 *
 * @param name its name, without quotes
 * @param type its type
 * @param nullable whether it may be null
 * @param defaultValue the expression of its default, or null for none
 * @param generatedAs the expression that it is generated from and stored, or null if it is a plain
 *     column
 */
public record Column(
    String name,
    ColumnType type,
    boolean nullable,
    @Nullable String defaultValue,
    @Nullable String generatedAs) {
  /**
   * Checks the name and the expressions.
   *
   * @param name its name, without quotes
   * @param type its type
   * @param nullable whether it may be null
   * @param defaultValue the expression of its default, or null for none
   * @param generatedAs the expression that it is generated from and stored, or null if it is a
   *     plain column
   */
  public Column {
    Identifiers.check("column", name);
    Objects.requireNonNull(type, "type");
    Expressions.checkOptional("default of column " + name, defaultValue);
    Expressions.checkOptional("generation expression of column " + name, generatedAs);
    if (defaultValue != null && generatedAs != null) {
      throw new IllegalArgumentException(
          "Column " + name + " has both a default and a generation expression; keep one");
    }
  }

  /**
   * A nullable column without a default.
   *
   * @param name its name, without quotes
   * @param type its type
   * @return the column
   */
  public static Column of(String name, ColumnType type) {
    return new Column(name, type, true, null, null);
  }

  /**
   * The same, refusing null.
   *
   * @return another column
   */
  public Column notNull() {
    return new Column(name, type, false, defaultValue, generatedAs);
  }

  /**
   * The same with a default.
   *
   * @param expression the default as SQL, for example {@code now()} or {@code '{}'}
   * @return another column
   */
  public Column withDefault(String expression) {
    return new Column(name, type, nullable, expression, generatedAs);
  }

  /**
   * The same, generated always from other columns of its row and stored.
   *
   * @param expression the expression as SQL; it must be immutable
   * @return another column
   */
  public Column generatedAs(String expression) {
    return new Column(name, type, nullable, defaultValue, expression);
  }
}
