package io.agentmemory.consolidation.dao;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A memory as it is in the database.
 *
 * @param id what identifies it, unique over all projects
 * @param projectId the project it belongs to
 * @param content its text
 * @param type what kind of knowledge it is
 * @param abstractionLevel how far it is from its sources
 * @param patternType the application's name for the pattern that it is an instance of
 * @param confidence how sure the consolidation was, from 0 to 1
 * @param sourceMemoryIds the task memories or consolidated memories that it was consolidated from
 * @param embedding its vector; null where it has none, and where it was not asked for
 * @param tags its tags
 * @param consolidationMethod how it was consolidated
 * @param createdAt when its row was written
 * @param updatedAt when it was changed last; strictly increasing, so that it can be an expectation
 * @param consolidatedAt when it was consolidated
 * @param sourceCount how many sources it has
 * @param reuseCount how often it has served as context again
 */
public record ConsolidatedMemory(
    String id,
    String projectId,
    String content,
    MemoryType type,
    AbstractionLevel abstractionLevel,
    @Nullable String patternType,
    @Nullable Double confidence,
    List<String> sourceMemoryIds,
    @Nullable Embedding embedding,
    List<String> tags,
    @Nullable String consolidationMethod,
    Instant createdAt,
    Instant updatedAt,
    Instant consolidatedAt,
    int sourceCount,
    int reuseCount) {

  /**
   * Checks that there is an id and keeps unmodifiable copies of the lists.
   *
   * @param id what identifies it
   * @param projectId the project it belongs to
   * @param content its text
   * @param type what kind of knowledge it is
   * @param abstractionLevel how far it is from its sources
   * @param patternType the application's name for the pattern that it is an instance of
   * @param confidence how sure the consolidation was
   * @param sourceMemoryIds the task memories or consolidated memories that it was consolidated from
   * @param embedding its vector
   * @param tags its tags
   * @param consolidationMethod how it was consolidated
   * @param createdAt when its row was written
   * @param updatedAt when it was changed last
   * @param consolidatedAt when it was consolidated
   * @param sourceCount how many sources it has
   * @param reuseCount how often it has served as context again
   */
  public ConsolidatedMemory {
    Checks.notNull("id", id);
    sourceMemoryIds = List.copyOf(sourceMemoryIds);
    tags = List.copyOf(tags);
  }
}
