package io.agentmemory.consolidation.quickstart;

import io.agentmemory.consolidation.dao.MemoryType;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What a coding agent has written down at the end of a task: one line of the file, one row of the
 * table {@code task_memories}.
 *
 * @param id the agent's own, or derived from project, task and summary, so that reading a file
 *     twice stores it once
 * @param projectId the project it belongs to
 * @param taskId the task that it comes from
 * @param summary what happened; this text is embedded
 * @param type what kind of knowledge it is
 * @param goal what the task was about
 * @param result how it ended
 * @param feedback what others said
 * @param toolUsage JSON, how often which tool was used
 * @param success whether the task was done
 * @param errorPatterns JSON, the messages met
 * @param learnedAt when it was written; null: when it is stored
 */
record AgentMemory(
    String id,
    String projectId,
    String taskId,
    String summary,
    MemoryType type,
    @Nullable String goal,
    @Nullable String result,
    @Nullable String feedback,
    @Nullable String toolUsage,
    boolean success,
    @Nullable String errorPatterns,
    @Nullable Instant learnedAt) {}
