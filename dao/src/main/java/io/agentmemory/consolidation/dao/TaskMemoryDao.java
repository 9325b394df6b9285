package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.schema.SchemaOptions;
import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;

/**
 * The task memories in the host's table, read through the mapping in the options. The table is the
 * host's: nothing here writes to it, and {@link Consolidation#consolidate} only marks its rows.
 *
 * <p>Immutable and thread-safe, save for what has joined a connection. No argument may be null.
 */
public final class TaskMemoryDao {
  private final Database database;

  TaskMemoryDao(Database database) {
    checkMapping(database.options());
    this.database = database;
  }

  static void checkMapping(SchemaOptions options) {
    if (options.hostTable().project() == null) {
      throw new InvalidInputException(
          "The host table's mapping has no project, so one project's task memories could not be told"
              + " from another's: give the options HostTable.withProject(…), a column or an"
              + " expression such as (select t.project_id from tasks t where t.id ="
              + " task_memories.task_id)");
    }
  }

  /**
   * A project's task memories that are not yet consolidated, in order of their ids.
   *
   * @param projectId the project
   * @param page which page
   * @return the page
   */
  public Page<TaskMemory> unconsolidated(String projectId, PageRequest page) {
    Checks.id("projectId", projectId);
    Checks.page(page);
    String after = page.after() == null ? "" : page.after();
    Database about = database.about(projectId);
    return about.read(
        "taskMemories.unconsolidated",
        handle -> {
          Sql sql = statements(handle).unconsolidated(database.joined());
          try (Call call = Call.prepare(handle, sql)) {
            ResultSet rows =
                call.text("project", projectId)
                    .text("after", after)
                    .integer("limit", page.size() + 1)
                    .query(Settings.index(database.joined()));
            List<TaskMemory> memories = new ArrayList<>();
            while (rows.next()) {
              memories.add(read(rows, projectId));
            }
            return page(page, memories);
          }
        });
  }

  private static Page<TaskMemory> page(PageRequest page, List<TaskMemory> memories) {
    if (memories.size() <= page.size()) {
      return new Page<>(memories, null);
    }
    List<TaskMemory> items = memories.subList(0, page.size());
    return new Page<>(items, new PageRequest(page.size(), items.get(page.size() - 1).id()));
  }

  private static TaskMemory read(ResultSet row, String projectId) throws SQLException {
    String type = row.getString(3);
    boolean success = row.getBoolean(4);
    Boolean successOrNull = row.wasNull() ? null : success;
    OffsetDateTime time = row.getObject(5, OffsetDateTime.class);
    return new TaskMemory(
        row.getString(1),
        projectId,
        row.getString(2),
        embedding(row.getArray(6)),
        type == null ? null : MemoryType.of(type),
        successOrNull,
        time == null ? null : time.toInstant());
  }

  /** A host's array may hold anything; what has no direction is no embedding. */
  private static @Nullable Embedding embedding(@Nullable Array array) throws SQLException {
    if (array == null || !(array.getArray() instanceof @Nullable Number[] numbers)) {
      return null;
    }
    double[] values = new double[numbers.length];
    for (int i = 0; i < values.length; i++) {
      Number number = numbers[i];
      values[i] = number == null ? Double.NaN : number.doubleValue();
    }
    try {
      return Embedding.of(values);
    } catch (InvalidInputException none) {
      return null;
    }
  }

  private TaskMemorySql statements(Handle handle) throws SQLException {
    return database.statements(
        handle.getConnection(), TaskMemorySql.class, names -> TaskMemorySql.of(handle, names));
  }
}
