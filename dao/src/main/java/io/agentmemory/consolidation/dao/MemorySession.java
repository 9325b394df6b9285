package io.agentmemory.consolidation.dao;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A connection in use, and what the statements on memories need to know beside it.
 *
 * @param connection the connection
 * @param deadline when the call must be done; null where its time is not limited
 * @param statements the statements made so far
 * @param format how embeddings are stored
 * @param withEmbeddings whether reads fetch embeddings
 * @param joined whether the transaction goes on after a statement: it is the caller's, or that of a
 *     call about one project
 */
record MemorySession(
    Connection connection,
    @Nullable Deadline deadline,
    SqlCache statements,
    VectorFormat format,
    boolean withEmbeddings,
    boolean joined) {

  /** Prepares the statement of a key, whose class and value say all that it depends on. */
  <K> Call prepare(K key, Function<K, String> template) throws SQLException {
    return call(statements.get(key, template));
  }

  /** Prepares the statement of a template that depends on nothing. */
  Call prepare(String template) throws SQLException {
    return call(statements.get(template));
  }

  private Call call(Sql sql) throws SQLException {
    return Call.prepare(connection, deadline, sql);
  }

  /** Fails if no time is left, for work that no statement limits. */
  void checkDeadline() throws SQLException {
    if (deadline != null) {
      deadline.check();
    }
  }

  /** The same with half of the time that is left, for work that can be done without. */
  MemorySession inHalfTheTime() {
    return deadline == null
        ? this
        : new MemorySession(
            connection, deadline.half(), statements, format, withEmbeddings, joined);
  }

  /** How fetched embeddings are read; null where they are not fetched. */
  @Nullable VectorFormat vectors() {
    return withEmbeddings ? format : null;
  }
}
