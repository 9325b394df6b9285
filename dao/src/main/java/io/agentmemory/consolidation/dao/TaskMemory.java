package io.agentmemory.consolidation.dao;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A memory of one task, as the host's table has it, read through the mapping in the options. What
 * the mapping says nothing of is null.
 *
 * @param id what identifies it in the host's table
 * @param projectId the project it belongs to
 * @param text what it says
 * @param embedding its vector; null also where the host's is none that a search could use (empty,
 *     zero, holding nulls, NaN or infinity)
 * @param type what kind of knowledge it is
 * @param success whether the task succeeded
 * @param time when it was learned
 */
public record TaskMemory(
    String id,
    String projectId,
    @Nullable String text,
    @Nullable Embedding embedding,
    @Nullable MemoryType type,
    @Nullable Boolean success,
    @Nullable Instant time) {}
