package io.agentmemory.consolidation.dao;

import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * Writes the data of a phase in the transaction that records the phase.
 *
 * @param <T> what the phase's thinking came to
 */
@FunctionalInterface
public interface PhaseWrite<T extends @Nullable Object> {
  /**
   * Writes. It should not take longer than its statements do, as whatever is written stays locked
   * meanwhile.
   *
   * @param consolidation takes part in the transaction
   * @param connection the transaction's connection, for what the application itself writes; not to
   *     be committed, rolled back or closed
   * @param thought what the phase's thinking came to
   * @return a JSON object whose members are added to the job's metrics
   * @throws SQLException if the application's own statements fail
   */
  String write(Consolidation consolidation, Connection connection, T thought) throws SQLException;
}
