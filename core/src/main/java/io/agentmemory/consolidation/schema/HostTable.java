package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Identifiers;
import io.agentmemory.consolidation.ddl.QualifiedName;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The host application's table of task memories, and how its rows are to be read: SQL expressions
 * over one row of it, in which the table goes by its own bare name. An expression may be a column
 * ({@code project_id}) or reach further ({@code (select t.project_id from app.tasks t where t.id =
 * task_memories.task_id)}). The expressions become part of statements as they are: they must come
 * from the developer, never from input.
 *
 * <p>Immutable and thread-safe. A null expression says that the host has no such thing.
 *
 * @param table the table, adopted where it exists, created where it does not, in a schema that
 *     exists or is the library's
 * @param idColumn the column that is its primary key, of a text type
 * @param project the project (tenant) of a row. Where it is the bare name of a column, reading a
 *     project's rows is helped by an index over the column as text; there is none over an
 *     expression that reaches further
 * @param text what the memory says
 * @param embedding its embedding, of a vector type or {@code double precision[]}
 * @param type its memory type
 * @param success whether the task succeeded
 * @param time when it was learned
 */
public record HostTable(
    QualifiedName table,
    String idColumn,
    @Nullable String project,
    @Nullable String text,
    @Nullable String embedding,
    @Nullable String type,
    @Nullable String success,
    @Nullable String time) {

  /** The name that the table has unless something else is said. */
  static final String DEFAULT_NAME = "task_memories";

  /**
   * Checks the column and the expressions for what no SQL text could hold.
   *
   * @param table the table, adopted where it exists, created where it does not, in a schema that
   *     exists or is the library's
   * @param idColumn the column that is its primary key, of a text type
   * @param project the project (tenant) of a row
   * @param text what the memory says
   * @param embedding its embedding, of a vector type or {@code double precision[]}
   * @param type its memory type
   * @param success whether the task succeeded
   * @param time when it was learned
   */
  public HostTable {
    Objects.requireNonNull(table, "table");
    Identifiers.check("column", idColumn);
    check("project", project);
    check("text", text);
    check("embedding", embedding);
    check("type", type);
    check("success", success);
    check("time", time);
  }

  /**
   * The mapping that fits the table which the revision {@code task_memories_001} creates.
   *
   * @param schema the schema it stands in
   * @return the mapping
   */
  public static HostTable created(String schema) {
    return new HostTable(
        new QualifiedName(schema, DEFAULT_NAME),
        "id",
        "project_id",
        "execution_summary",
        "context_embedding",
        "memory_type",
        "success",
        "learned_at");
  }

  /**
   * A table of the host with the primary key {@code id} and no expressions yet.
   *
   * @param table the table
   * @return the mapping, to be completed by the {@code with} methods
   */
  public static HostTable existing(QualifiedName table) {
    return new HostTable(table, "id", null, null, null, null, null, null);
  }

  /**
   * The same with another primary key column.
   *
   * @param column the column's name, without quotes
   * @return another mapping
   */
  public HostTable withIdColumn(String column) {
    return new HostTable(table, column, project, text, embedding, type, success, time);
  }

  /**
   * The same with an expression for the project.
   *
   * @param expression SQL over a row of the table
   * @return another mapping
   */
  public HostTable withProject(String expression) {
    return new HostTable(table, idColumn, expression, text, embedding, type, success, time);
  }

  /**
   * The same with an expression for the text.
   *
   * @param expression SQL over a row of the table
   * @return another mapping
   */
  public HostTable withText(String expression) {
    return new HostTable(table, idColumn, project, expression, embedding, type, success, time);
  }

  /**
   * The same with an expression for the embedding.
   *
   * @param expression SQL over a row of the table, of a vector type or {@code double precision[]}
   * @return another mapping
   */
  public HostTable withEmbedding(String expression) {
    return new HostTable(table, idColumn, project, text, expression, type, success, time);
  }

  /**
   * The same with an expression for the memory type.
   *
   * @param expression SQL over a row of the table
   * @return another mapping
   */
  public HostTable withType(String expression) {
    return new HostTable(table, idColumn, project, text, embedding, expression, success, time);
  }

  /**
   * The same with an expression for the success.
   *
   * @param expression SQL over a row of the table, of type boolean
   * @return another mapping
   */
  public HostTable withSuccess(String expression) {
    return new HostTable(table, idColumn, project, text, embedding, type, expression, time);
  }

  /**
   * The same with an expression for the time.
   *
   * @param expression SQL over a row of the table, of type timestamptz
   * @return another mapping
   */
  public HostTable withTime(String expression) {
    return new HostTable(table, idColumn, project, text, embedding, type, success, expression);
  }

  private static void check(String what, @Nullable String expression) {
    if (expression != null
        && (expression.isBlank()
            || expression.indexOf('\0') >= 0
            || !StandardCharsets.UTF_8.newEncoder().canEncode(expression))) {
      throw new IllegalArgumentException(
          "The host table's expression for the "
              + what
              + " is blank, or holds U+0000 or half a surrogate pair. Give SQL over a row of the table, or leave it out");
    }
  }
}
