package io.agentmemory.consolidation.dao;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.util.Collection;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;

/**
 * One use of a {@link Sql}: its parameters are set by name, then it runs, in the time that is left
 * then. Closes its statement.
 */
final class Call implements AutoCloseable {
  /** Sets a statement's parameters. */
  interface Parameters {
    void set(Call call) throws SQLException;
  }

  private final Sql sql;
  private final PreparedStatement statement;
  private final @Nullable Deadline deadline;

  private Call(Sql sql, PreparedStatement statement, @Nullable Deadline deadline) {
    this.sql = sql;
    this.statement = statement;
    this.deadline = deadline;
  }

  /** Prepares a statement of the handle's call. */
  static Call prepare(Handle handle, Sql sql) throws SQLException {
    return prepare(handle.getConnection(), JdbiHandles.deadline(handle), sql);
  }

  /** Prepares a statement with a deadline, which is null where its time is not limited. */
  static Call prepare(Connection connection, @Nullable Deadline deadline, Sql sql)
      throws SQLException {
    return new Call(sql, connection.prepareStatement(sql.text()), deadline);
  }

  Call text(String name, @Nullable String value) throws SQLException {
    for (int position : sql.positions(name)) {
      statement.setString(position, value);
    }
    return this;
  }

  Call integer(String name, int value) throws SQLException {
    for (int position : sql.positions(name)) {
      statement.setInt(position, value);
    }
    return this;
  }

  Call integer(String name, long value) throws SQLException {
    for (int position : sql.positions(name)) {
      statement.setLong(position, value);
    }
    return this;
  }

  Call number(String name, @Nullable Double value) throws SQLException {
    for (int position : sql.positions(name)) {
      if (value == null) {
        statement.setNull(position, Types.DOUBLE);
      } else {
        statement.setDouble(position, value);
      }
    }
    return this;
  }

  Call flag(String name, boolean value) throws SQLException {
    for (int position : sql.positions(name)) {
      statement.setBoolean(position, value);
    }
    return this;
  }

  Call time(String name, @Nullable Instant value) throws SQLException {
    for (int position : sql.positions(name)) {
      if (value == null) {
        statement.setNull(position, Types.TIMESTAMP_WITH_TIMEZONE);
      } else {
        statement.setObject(position, TimeKey.value(value));
      }
    }
    return this;
  }

  Call texts(String name, Collection<String> values) throws SQLException {
    return array(name, "varchar", values.toArray(String[]::new));
  }

  /** Times that a database can hold, of the years 1 to 9999. */
  Call times(String name, Collection<Instant> values) throws SQLException {
    return array(name, "timestamptz", values.stream().map(Instant::toString).toArray());
  }

  /** JSON documents. */
  Call documents(String name, Collection<String> values) throws SQLException {
    return array(name, "jsonb", values.toArray(String[]::new));
  }

  Call integers(String name, Collection<Integer> values) throws SQLException {
    return array(name, "int4", values.toArray(Integer[]::new));
  }

  /** Sends the numbers in binary; the statement casts them to its vector type. */
  Call vector(String name, @Nullable Embedding value) throws SQLException {
    if (value == null) {
      for (int position : sql.positions(name)) {
        statement.setNull(position, Types.ARRAY);
      }
      return this;
    }
    return floats(name, value.values());
  }

  /** Sends numbers in binary, as an array of single precision. */
  Call floats(String name, float[] values) throws SQLException {
    for (int position : sql.positions(name)) {
      statement.setObject(position, values, Types.ARRAY);
    }
    return this;
  }

  /** Sends numbers in binary. */
  Call integers(String name, long[] values) throws SQLException {
    for (int position : sql.positions(name)) {
      statement.setObject(position, values, Types.ARRAY);
    }
    return this;
  }

  private Call array(String name, String type, Object[] values) throws SQLException {
    Array array = statement.getConnection().createArrayOf(type, values);
    for (int position : sql.positions(name)) {
      statement.setArray(position, array);
    }
    return this;
  }

  ResultSet query() throws SQLException {
    Deadline.apply(deadline, statement);
    return statement.executeQuery();
  }

  int update() throws SQLException {
    Deadline.apply(deadline, statement);
    return statement.executeUpdate();
  }

  void addToBatch() throws SQLException {
    statement.addBatch();
  }

  int[] runBatch() throws SQLException {
    Deadline.apply(deadline, statement);
    return statement.executeBatch();
  }

  /** Runs several statements sent together and gives the rows of one of them, counted from 0. */
  ResultSet query(int index) throws SQLException {
    Deadline.apply(deadline, statement);
    boolean rows = statement.execute();
    for (int i = 0; i < index; i++) {
      rows = statement.getMoreResults();
    }
    if (!rows) {
      throw new IllegalStateException("statement " + index + " gives no rows: " + sql.text());
    }
    return statement.getResultSet();
  }

  @Override
  public void close() throws SQLException {
    statement.close();
  }
}
