package io.agentmemory.consolidation.dao;

import org.jspecify.annotations.Nullable;

/**
 * A memory found by its words.
 *
 * @param memory the memory
 * @param score how well its words match; compares hits of one query only
 * @param headline an excerpt with the words marked; null unless asked for
 */
public record TextHit(ConsolidatedMemory memory, double score, @Nullable String headline) {}
