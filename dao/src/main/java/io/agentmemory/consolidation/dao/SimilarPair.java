package io.agentmemory.consolidation.dao;

/**
 * Two memories of a project that are alike.
 *
 * @param leftId the id that comes first, in order of the ids' bytes
 * @param rightId the other id
 * @param similarity the cosine similarity, up to 1 (same direction)
 */
public record SimilarPair(String leftId, String rightId, double similarity) {}
