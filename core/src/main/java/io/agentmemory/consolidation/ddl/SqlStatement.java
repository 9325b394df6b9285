package io.agentmemory.consolidation.ddl;

/**
 * One statement, and what to call it in messages.
 *
 * <p>Immutable and thread-safe.
 *
 * @param name for example {@code create index idx_cm_tags}
 * @param sql the statement, without a semicolon at its end
 */
public record SqlStatement(String name, String sql) {}
