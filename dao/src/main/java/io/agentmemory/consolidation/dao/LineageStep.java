package io.agentmemory.consolidation.dao;

import org.jspecify.annotations.Nullable;

/**
 * A memory in the lineage of another one.
 *
 * @param id its id
 * @param distance over how many consolidations the two are connected at least, from 1
 * @param level its level if it is a consolidated memory of the project; null for a task memory, and
 *     for what has been deleted
 */
public record LineageStep(String id, int distance, @Nullable AbstractionLevel level) {}
