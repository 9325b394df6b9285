package io.agentmemory.consolidation.ddl;

import static io.agentmemory.consolidation.ddl.Identifiers.quoted;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Writes changes as PostgreSQL's SQL: a pure function of the change and of the schema that pgvector
 * lives in. Identifiers are always quoted, relations always qualified.
 *
 * <p>Immutable and thread-safe.
 */
public final class Renderer {
  private final String extensionSchema;

  private Renderer(String extensionSchema) {
    this.extensionSchema = Identifiers.check("schema", extensionSchema);
  }

  /**
   * A renderer.
   *
   * @param schema the schema that the extension {@code vector} lives in
   * @return the renderer
   */
  public static Renderer withExtensionIn(String schema) {
    return new Renderer(schema);
  }

  /**
   * The statement that makes a change.
   *
   * @param change the change
   * @return one statement
   */
  public SqlStatement render(Change change) {
    if (change instanceof Change.CreateTable create) {
      return createTable(create.table());
    }
    if (change instanceof Change.DropTable drop) {
      QualifiedName name = drop.target();
      return new SqlStatement("drop table " + name.name(), "DROP TABLE " + name.sql());
    }
    if (change instanceof Change.AddColumns add) {
      return alter("add to", add.target(), add.columns(), c -> "ADD COLUMN " + column(c));
    }
    if (change instanceof Change.DropColumns drop) {
      return alter(
          "drop from", drop.target(), drop.columns(), c -> "DROP COLUMN " + quoted(c.name()));
    }
    if (change instanceof Change.CreateIndex create) {
      return createIndex(create.index(), "");
    }
    if (change instanceof Change.CreatePolicy create) {
      return createPolicy(create.policy());
    }
    if (change instanceof Change.DropPolicy drop) {
      Policy policy = drop.policy();
      return new SqlStatement(
          "drop policy " + policy.name() + " of " + policy.table().name(),
          "DROP POLICY " + quoted(policy.name()) + " ON " + policy.table().sql());
    }
    if (change instanceof Change.EnableRowSecurity enable) {
      return new SqlStatement(
          "enable row-level security of " + enable.target().name(),
          "ALTER TABLE "
              + enable.target().sql()
              + "\n  ENABLE ROW LEVEL SECURITY,\n  FORCE ROW LEVEL SECURITY");
    }
    if (change instanceof Change.DisableRowSecurity disable) {
      return new SqlStatement(
          "disable row-level security of " + disable.target().name(),
          "ALTER TABLE "
              + disable.target().sql()
              + "\n  NO FORCE ROW LEVEL SECURITY,\n  DISABLE ROW LEVEL SECURITY");
    }
    Index index = ((Change.DropIndex) change).index();
    return new SqlStatement(
        "drop index " + index.name(), "DROP INDEX " + index.qualifiedName().sql());
  }

  /**
   * A condition, as SQL, that holds where a change would delete data: a row of the table, or a
   * value in the columns that is not their default.
   *
   * @param change any change
   * @return the condition, or null if the change never deletes data
   */
  public @Nullable String deletesData(Change change) {
    if (change instanceof Change.DropTable drop) {
      return "EXISTS (SELECT FROM " + drop.target().sql() + ")";
    }
    if (change instanceof Change.DropColumns drop) {
      String any =
          drop.columns().stream()
              .filter(column -> column.generatedAs() == null)
              .map(c -> "EXISTS (SELECT FROM " + drop.target().sql() + " WHERE " + valued(c) + ")")
              .collect(Collectors.joining("\n  OR "));
      return any.isEmpty() ? null : any;
    }
    return null;
  }

  private static String valued(Column column) {
    String name = quoted(column.name());
    String value = column.defaultValue();
    if (value == null) {
      return name + " IS NOT NULL";
    }
    if (column.type().isBoolean() && !column.nullable() && value.equals("false")) {
      return name + " = true"; // the form that a partial index on it is found by
    }
    return name + " IS DISTINCT FROM " + value;
  }

  private static SqlStatement createPolicy(Policy policy) {
    return new SqlStatement(
        "create policy " + policy.name() + " of " + policy.table().name(),
        "CREATE POLICY "
            + quoted(policy.name())
            + " ON "
            + policy.table().sql()
            + "\n  USING ("
            + policy.condition()
            + ")\n  WITH CHECK ("
            + policy.condition()
            + ")");
  }

  private SqlStatement createTable(Table table) {
    List<String> parts = new ArrayList<>();
    table.columns().forEach(column -> parts.add(column(column)));
    for (Check check : table.checks()) {
      parts.add("CONSTRAINT " + quoted(check.name()) + " CHECK (" + check.condition() + ")");
    }
    if (!table.primaryKey().isEmpty()) {
      parts.add(
          table.primaryKey().stream()
              .map(Identifiers::quoted)
              .collect(
                  Collectors.joining(
                      ", ",
                      "CONSTRAINT " + quoted(table.primaryKeyName()) + " PRIMARY KEY (",
                      ")")));
    }
    return new SqlStatement(
        "create table " + table.name().name(),
        "CREATE TABLE " + table.name().sql() + " (\n  " + String.join(",\n  ", parts) + "\n)");
  }

  private String column(Column column) {
    StringBuilder sql = new StringBuilder(quoted(column.name()));
    sql.append(' ').append(column.type().sql(extensionSchema));
    if (column.generatedAs() != null) {
      sql.append(" GENERATED ALWAYS AS (").append(column.generatedAs()).append(") STORED");
    }
    if (!column.nullable()) {
      sql.append(" NOT NULL");
    }
    if (column.defaultValue() != null) {
      sql.append(" DEFAULT ").append(column.defaultValue());
    }
    return sql.toString();
  }

  private static SqlStatement alter(
      String verb, QualifiedName table, List<Column> columns, Function<Column, String> clause) {
    String names = columns.stream().map(Column::name).collect(Collectors.joining(", "));
    return new SqlStatement(
        verb + " table " + table.name() + " the columns " + names,
        "ALTER TABLE "
            + table.sql()
            + "\n  "
            + columns.stream().map(clause).collect(Collectors.joining(",\n  ")));
  }

  /**
   * The statement that makes an index while others read and write its table. It runs outside of
   * transactions, and leaves an invalid index where it fails.
   *
   * @param index the index
   * @return one statement
   */
  public SqlStatement renderConcurrently(Index index) {
    return createIndex(index, "CONCURRENTLY ");
  }

  private SqlStatement createIndex(Index index, String how) {
    StringBuilder sql = new StringBuilder("CREATE ");
    sql.append(index.unique() ? "UNIQUE INDEX " : "INDEX ").append(how);
    sql.append(quoted(index.name()));
    sql.append(" ON ").append(index.table().sql());
    sql.append("\n  USING ").append(index.method().name().toLowerCase(Locale.ROOT));
    sql.append(
        index.keys().stream()
            .map(key -> key(index.method(), key))
            .collect(Collectors.joining(", ", " (", ")")));
    if (!index.include().isEmpty()) {
      sql.append(
          index.include().stream()
              .map(Identifiers::quoted)
              .collect(Collectors.joining(", ", "\n  INCLUDE (", ")")));
    }
    if (!index.parameters().isEmpty()) {
      sql.append(
          index.parameters().entrySet().stream()
              .map(parameter -> parameter.getKey() + " = " + parameter.getValue())
              .collect(Collectors.joining(", ", "\n  WITH (", ")")));
    }
    if (index.where() != null) {
      sql.append("\n  WHERE ").append(index.where());
    }
    return new SqlStatement("create index " + index.name(), sql.toString());
  }

  private String key(IndexMethod method, IndexKey key) {
    String sql = key.expression() ? "(" + expression(key) + ")" : quoted(key.term());
    if (key.operatorClass() != null) {
      String schema = method == IndexMethod.HNSW ? extensionSchema : "pg_catalog";
      sql += " " + new QualifiedName(schema, key.operatorClass()).sql();
    }
    return key.descending() ? sql + " DESC" : sql;
  }

  private String expression(IndexKey key) {
    return key.term().replace(IndexKey.EXTENSION, quoted(extensionSchema));
  }
}
