package io.agentmemory.consolidation.dao;

import java.time.Duration;

/**
 * What a load did.
 *
 * @param read how many memories it read: those inserted, skipped and replaced together
 * @param inserted how many were new
 * @param skipped how many were left out because their id was taken
 * @param replaced how many took the place of a memory of the same id; one that gave way to a later
 *     one of the same load counts here
 * @param duration how long it took
 */
public record LoadResult(
    long read, long inserted, long skipped, long replaced, Duration duration) {}
