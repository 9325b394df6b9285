package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.SqlStatement;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Runs statements on one connection and says which of them failed. */
final class Session {
  private final Connection connection;

  Session(Connection connection) {
    this.connection = connection;
  }

  Connection connection() {
    return connection;
  }

  void execute(String name, String sql) {
    execute(new Statements.Planned(null, new SqlStatement(name, sql)));
  }

  void execute(Statements.Planned planned) {
    SqlStatement sql = planned.statement();
    try (Statement statement = connection.createStatement()) {
      statement.setEscapeProcessing(false);
      statement.execute(sql.sql());
    } catch (SQLException e) {
      throw SchemaSqlException.of(sql.name(), sql.sql(), planned.revision(), e);
    }
  }

  /** Reads one row; its columns as text. */
  List<@Nullable String> row(String name, String sql) {
    List<List<@Nullable String>> rows = rows(name, sql);
    return rows.isEmpty() ? List.of() : rows.get(0);
  }

  /** Reads rows; their columns as text. */
  List<List<@Nullable String>> rows(String name, String sql) {
    try (Statement statement = connection.createStatement()) {
      statement.setEscapeProcessing(false);
      try (ResultSet result = statement.executeQuery(sql)) {
        List<List<@Nullable String>> rows = new ArrayList<>();
        while (result.next()) {
          rows.add(texts(result));
        }
        return rows;
      }
    } catch (SQLException e) {
      throw SchemaSqlException.of(name, sql, null, e);
    }
  }

  /** Runs several statements; the columns of the last one's row as text, none if it has none. */
  List<@Nullable String> lastRow(String name, String sql) {
    try (Statement statement = connection.createStatement()) {
      statement.setEscapeProcessing(false);
      boolean rows = statement.execute(sql);
      List<@Nullable String> row = new ArrayList<>();
      while (rows || statement.getUpdateCount() >= 0) {
        if (rows) {
          ResultSet result = statement.getResultSet();
          row = result.next() ? texts(result) : List.of();
        }
        rows = statement.getMoreResults();
      }
      return row;
    } catch (SQLException e) {
      throw SchemaSqlException.of(name, sql, null, e);
    }
  }

  private static List<@Nullable String> texts(ResultSet result) throws SQLException {
    List<@Nullable String> row = new ArrayList<>();
    for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
      row.add(result.getString(i));
    }
    return row;
  }

  /** Reads the first column of one row, null where there is none. */
  @Nullable String value(String name, String sql) {
    List<@Nullable String> row = row(name, sql);
    return row.isEmpty() ? null : row.get(0);
  }

  /** Reads one condition. */
  boolean holds(String name, String condition) {
    return "t".equals(value(name, "SELECT " + condition));
  }
}
