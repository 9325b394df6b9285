package io.agentmemory.consolidation.dao;

/**
 * A memory found by its words.
 *
 * @param memory the memory
 * @param score how well its words match; compares hits of one query only
 */
public record TextHit(ConsolidatedMemory memory, double score) {}
