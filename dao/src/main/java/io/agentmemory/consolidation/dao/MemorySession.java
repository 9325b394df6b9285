package io.agentmemory.consolidation.dao;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.function.Function;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;

/**
 * A handle in use, and what the statements on memories need to know beside it.
 *
 * @param handle the connection, with the time that is left for the call
 * @param statements the statements made so far
 * @param format how embeddings are stored
 * @param withEmbeddings whether reads fetch embeddings
 * @param joined whether the transaction is the caller's
 */
record MemorySession(
    Handle handle,
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
    PreparedStatement statement = connection().prepareStatement(sql.text());
    JdbiHandles.limit(handle, statement);
    return new Call(sql, statement);
  }

  Connection connection() {
    return handle.getConnection();
  }

  /** How fetched embeddings are read; null where they are not fetched. */
  @Nullable VectorFormat vectors() {
    return withEmbeddings ? format : null;
  }
}
