package io.agentmemory.consolidation.schema;

/**
 * One way in which a database differs from the definition.
 *
 * <p>Immutable and thread-safe.
 *
 * @param path what it is about, for example {@code "public"."consolidated_memories" column tags
 *     type}
 * @param expected as the definition has it, in the server's own words; {@code absent} where it has
 *     nothing of that name
 * @param actual as the database has it; {@code absent} where nothing of that name is there
 */
public record Difference(String path, String expected, String actual) {}
