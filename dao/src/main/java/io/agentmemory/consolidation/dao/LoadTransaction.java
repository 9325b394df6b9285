package io.agentmemory.consolidation.dao;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;

/**
 * One transaction of a load. Where every id is expected to be new, the rows go straight into the
 * table; else, and where row-level security keeps COPY off it, by way of a temporary table and one
 * insert.
 */
final class LoadTransaction {
  private static final Pattern LINE =
      Pattern.compile("COPY (?:consolidated_memories|consolidation_load), \\D*(\\d+)");

  private final MemorySession session;
  private final OnConflict onConflict;
  private final LoadRows rows;

  /** How many rows the transactions before this one sent. */
  private final long before;

  LoadTransaction(MemorySession session, OnConflict onConflict, LoadRows rows) {
    this.session = session;
    this.onConflict = onConflict;
    this.rows = rows;
    this.before = rows.sent();
  }

  /** Sends at most so many rows, and returns how many of them were inserted as new. */
  long run(long most) throws SQLException {
    boolean policies = begin();
    if (onConflict == OnConflict.FAIL && !policies) {
      return copy(LoadSql.COPY, false, most);
    }
    execute(LoadSql.CREATE_STAGE);
    long staged = copy(LoadSql.COPY_STAGE, true, most);
    Savepoint complete = session.connection().setSavepoint();
    long inserted;
    try {
      inserted = insert(staged, policies);
    } catch (SQLException e) {
      if (policies && Failures.INSUFFICIENT_PRIVILEGE.equals(e.getSQLState())) {
        session.connection().rollback(complete);
        refuse(LoadSql.HIDDEN);
      }
      throw ContentTooLongException.causes(e) ? tooLong(e, complete) : e;
    }
    execute(LoadSql.DROP_STAGE);
    return inserted;
  }

  /** One insert does not say at which row it failed. The long ones, tried one by one, do. */
  private SQLException tooLong(SQLException failure, Savepoint complete) throws SQLException {
    session.connection().rollback(complete);
    Map<Long, String> candidates = new LinkedHashMap<>();
    try (Call call = session.prepare(LoadSql.LONG_CONTENTS)) {
      ResultSet row = call.query();
      while (row.next()) {
        candidates.put(row.getLong(1), row.getString(2));
      }
    }
    for (Map.Entry<Long, String> candidate : candidates.entrySet()) {
      try (Call call = session.prepare(LoadSql.TRY_WORDS)) {
        call.text("number", String.valueOf(candidate.getKey())).query();
      } catch (SQLException e) {
        if (ContentTooLongException.causes(e)) {
          throw new ContentTooLongException(
              "memory number " + candidate.getKey(), candidate.getValue(), e);
        }
        throw e;
      }
    }
    return failure;
  }

  private boolean begin() throws SQLException {
    try (Call call = session.prepare(LoadSql.BEGIN)) {
      ResultSet row = call.query();
      row.next();
      Instant now = MemoryRow.time(row, 1);
      rows.startAt(now);
      return row.getBoolean(2);
    }
  }

  private long copy(String template, boolean numbered, long most) throws SQLException {
    String before = limit();
    long sent = send(template, numbered, most);
    if (before != null) {
      try (Call call = session.prepare(LoadSql.LIMIT_AGAIN)) {
        call.text("before", before).query();
      }
    }
    return sent;
  }

  /** The driver limits no COPY, so that the server has to; null where there is no limit. */
  private @Nullable String limit() throws SQLException {
    Deadline deadline = session.deadline();
    if (deadline == null) {
      return null;
    }
    try (Call call = session.prepare(LoadSql.LIMIT)) {
      long millis = Math.min(deadline.check(), Integer.MAX_VALUE);
      ResultSet row = call.integer("millis", millis).query();
      row.next();
      return row.getString(1);
    }
  }

  private long send(String template, boolean numbered, long most) throws SQLException {
    String sql = session.statements().get(template).text();
    try (CopyStream stream = CopyStream.begin(session.connection(), sql, session::checkDeadline)) {
      for (long i = 0; i < most && rows.hasNext(); i++) {
        rows.send(stream, session.format(), numbered);
      }
      return stream.end();
    } catch (SQLException e) {
      throw named(e);
    }
  }

  private long insert(long staged, boolean policies) throws SQLException {
    switch (onConflict) {
      case FAIL -> {
        refuse(LoadSql.FAIL);
        return staged;
      }
      case SKIP -> {
        long inserted;
        try (Call call = session.prepare(LoadSql.SKIP)) {
          inserted = call.update();
        }
        if (inserted < staged) {
          refuse(policies ? LoadSql.STRANGER : LoadSql.TAKEN);
        }
        return inserted;
      }
      default -> {
        long inserted;
        try (Call call = session.prepare(LoadSql.REPLACE)) {
          ResultSet row = call.query();
          row.next();
          inserted = row.getLong(1);
        }
        if (inserted < staged) {
          refuse(LoadSql.STRANGER);
        }
        return inserted;
      }
    }
  }

  /** Fails for the row that a query finds, if it finds one. */
  private void refuse(String query) throws SQLException {
    try (Call call = session.prepare(query)) {
      ResultSet row = call.query();
      if (row.next()) {
        throw new DuplicateIdException("memory number " + row.getLong(1), row.getString(2));
      }
    }
  }

  private void execute(String template) throws SQLException {
    try (Call call = session.prepare(template)) {
      call.update();
    }
  }

  /** The exception for the row that the server names, or one that names at least its number. */
  private SQLException named(SQLException failure) {
    Long line = line(failure);
    if (line == null) {
      return failure;
    }
    String what = "memory number " + (before + line);
    String id = rows.id(before + line);
    if (id != null && isDuplicate(failure)) {
      throw new DuplicateIdException(what, id);
    }
    if (id != null && ContentTooLongException.causes(failure)) {
      throw new ContentTooLongException(what, id, failure);
    }
    return new SQLException(
        what + ": " + Failures.message(failure), failure.getSQLState(), failure);
  }

  private static boolean isDuplicate(SQLException failure) {
    return failure instanceof PSQLException postgres
        && postgres.getServerErrorMessage() != null
        && Failures.UNIQUE_VIOLATION.equals(failure.getSQLState())
        && "consolidated_memories_pkey".equals(postgres.getServerErrorMessage().getConstraint());
  }

  /** The line of the COPY that the server says it failed at; in whatever language it says so. */
  private static @Nullable Long line(SQLException failure) {
    if (failure instanceof PSQLException postgres && postgres.getServerErrorMessage() != null) {
      String where = postgres.getServerErrorMessage().getWhere();
      Matcher line = LINE.matcher(where == null ? "" : where);
      return line.find() ? Long.valueOf(line.group(1)) : null;
    }
    return null;
  }
}
