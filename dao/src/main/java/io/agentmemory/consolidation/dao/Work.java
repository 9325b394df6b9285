package io.agentmemory.consolidation.dao;

import java.sql.SQLException;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;

/** What is done with a connection. The handle is closed afterwards and must not be kept. */
@FunctionalInterface
interface Work<T extends @Nullable Object> {
  T run(Handle handle) throws SQLException;
}
