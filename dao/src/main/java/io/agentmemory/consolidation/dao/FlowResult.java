package io.agentmemory.consolidation.dao;

/**
 * What a run of a {@link ConsolidationFlow} came to.
 *
 * @param pairs how many pairs of memories are similar enough
 * @param clusters how many clusters they form
 * @param consolidated how many clusters became a memory
 * @param declined of how many clusters the application wanted none
 * @param skipped how many clusters were left to a later run, since one of their memories had been
 *     consolidated, changed or deleted by others meanwhile
 * @param cut how many memories have more that are similar to them than the query looks at ({@link
 *     SimilarPairs#cutIds}); a later run looks at others in place of those that have been
 *     consolidated by then, not in place of those that were declined
 */
public record FlowResult(
    int pairs, int clusters, int consolidated, int declined, int skipped, int cut) {}
