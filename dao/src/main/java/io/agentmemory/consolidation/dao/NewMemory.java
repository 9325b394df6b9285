package io.agentmemory.consolidation.dao;

import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A memory on its way into the database. Made by its {@linkplain #builder builder}.
 *
 * @param id what identifies it, unique over all projects; null: a UUID (version 7) is generated
 * @param projectId the project it belongs to
 * @param content its text
 * @param type what kind of knowledge it is
 * @param abstractionLevel how far it is from its sources
 * @param patternType the application's name for the pattern, at most 50 characters
 * @param confidence how sure the consolidation was, from 0 to 1
 * @param sourceMemoryIds what it was consolidated from, at most 10,000
 * @param embedding its vector; without one no vector search finds it
 * @param tags its tags, at most 10,000, each at most 50 characters
 * @param consolidationMethod how it was consolidated, at most 100 characters
 * @param createdAt when its row was written; null: now, by the database's clock
 * @param updatedAt when it was changed last; null: now, by the database's clock
 * @param consolidatedAt when it was consolidated; null: now, by the database's clock
 * @param reuseCount how often it has served as context again
 */
public record NewMemory(
    @Nullable String id,
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
    @Nullable Instant createdAt,
    @Nullable Instant updatedAt,
    @Nullable Instant consolidatedAt,
    int reuseCount) {

  /**
   * Checks the parts, keeps copies of the lists, and the times in microseconds.
   *
   * @param id what identifies it
   * @param projectId the project it belongs to
   * @param content its text
   * @param type what kind of knowledge it is
   * @param abstractionLevel how far it is from its sources
   * @param patternType the application's name for the pattern
   * @param confidence how sure the consolidation was
   * @param sourceMemoryIds what it was consolidated from
   * @param embedding its vector
   * @param tags its tags
   * @param consolidationMethod how it was consolidated
   * @param createdAt when its row was written
   * @param updatedAt when it was changed last
   * @param consolidatedAt when it was consolidated
   * @param reuseCount how often it has served as context again
   */
  public NewMemory {
    Checks.idOrNull("id", id);
    Checks.id("projectId", projectId);
    MemoryChecks.content(content);
    MemoryChecks.type(type);
    Checks.notNull("abstractionLevel", abstractionLevel);
    MemoryChecks.patternType(patternType);
    MemoryChecks.confidence(confidence);
    sourceMemoryIds = MemoryChecks.ids("sourceMemoryIds", sourceMemoryIds);
    tags = MemoryChecks.tags("tags", tags);
    MemoryChecks.consolidationMethod(consolidationMethod);
    createdAt = MemoryChecks.time("createdAt", createdAt);
    updatedAt = MemoryChecks.time("updatedAt", updatedAt);
    consolidatedAt = MemoryChecks.time("consolidatedAt", consolidatedAt);
    Checks.between("reuseCount", reuseCount, 0, Integer.MAX_VALUE);
  }

  /**
   * A memory as it was in a database, for another: with its id, its times and what else it has.
   *
   * @param memory read with its embedding, if that is to come along
   * @return the memory
   * @throws InvalidInputException if it has parts that only a newer version, or another program,
   *     writes
   */
  public static NewMemory copyOf(ConsolidatedMemory memory) {
    Checks.notNull("memory", memory);
    return new NewMemory(
        memory.id(),
        memory.projectId(),
        memory.content(),
        memory.type(),
        memory.abstractionLevel(),
        memory.patternType(),
        memory.confidence(),
        memory.sourceMemoryIds(),
        memory.embedding(),
        memory.tags(),
        memory.consolidationMethod(),
        memory.createdAt(),
        memory.updatedAt(),
        memory.consolidatedAt(),
        memory.reuseCount());
  }

  /** The same memory, with its lineage. */
  NewMemory withSources(List<String> ids) {
    return new NewMemory(
        id,
        projectId,
        content,
        type,
        abstractionLevel,
        patternType,
        confidence,
        ids,
        embedding,
        tags,
        consolidationMethod,
        createdAt,
        updatedAt,
        consolidatedAt,
        reuseCount);
  }

  /**
   * Starts a memory from what every memory has.
   *
   * @param projectId the project it belongs to
   * @param type what kind of knowledge it is
   * @param abstractionLevel how far it is from its sources
   * @param content its text
   * @return a builder
   */
  public static Builder builder(
      String projectId, MemoryType type, AbstractionLevel abstractionLevel, String content) {
    return new Builder(projectId, type, abstractionLevel, content);
  }

  /** Collects a memory's parts. Not thread-safe. */
  public static final class Builder {
    private final String projectId;
    private final MemoryType type;
    private final AbstractionLevel abstractionLevel;
    private final String content;
    private @Nullable String id;
    private @Nullable String patternType;
    private @Nullable Double confidence;
    private List<String> sourceMemoryIds = List.of();
    private @Nullable Embedding embedding;
    private List<String> tags = List.of();
    private @Nullable String consolidationMethod;
    private @Nullable Instant createdAt;
    private @Nullable Instant updatedAt;
    private @Nullable Instant consolidatedAt;
    private int reuseCount;

    private Builder(
        String projectId, MemoryType type, AbstractionLevel abstractionLevel, String content) {
      this.projectId = projectId;
      this.type = type;
      this.abstractionLevel = abstractionLevel;
      this.content = content;
    }

    /**
     * Gives it an id of the application's.
     *
     * @param id unique over all projects
     * @return this builder
     */
    public Builder id(@Nullable String id) {
      this.id = id;
      return this;
    }

    /**
     * Names the pattern that it is an instance of.
     *
     * @param patternType at most 50 characters
     * @return this builder
     */
    public Builder patternType(@Nullable String patternType) {
      this.patternType = patternType;
      return this;
    }

    /**
     * Says how sure the consolidation was.
     *
     * @param confidence from 0 to 1
     * @return this builder
     */
    public Builder confidence(@Nullable Double confidence) {
      this.confidence = confidence;
      return this;
    }

    /**
     * Names what it was consolidated from, for an import; the consolidation step names and marks
     * them itself.
     *
     * @param sourceMemoryIds at most 10,000 ids of task memories or consolidated memories
     * @return this builder
     */
    public Builder sourceMemoryIds(Collection<String> sourceMemoryIds) {
      this.sourceMemoryIds = MemoryChecks.ids("sourceMemoryIds", sourceMemoryIds);
      return this;
    }

    /**
     * Gives it its vector.
     *
     * @param embedding of as many dimensions as the schema's options say
     * @return this builder
     */
    public Builder embedding(@Nullable Embedding embedding) {
      this.embedding = embedding;
      return this;
    }

    /**
     * Tags it.
     *
     * @param tags at most 10,000, each at most 50 characters
     * @return this builder
     */
    public Builder tags(Collection<String> tags) {
      this.tags = MemoryChecks.tags("tags", tags);
      return this;
    }

    /**
     * Tags it.
     *
     * @param tags at most 10,000, each at most 50 characters
     * @return this builder
     */
    public Builder tags(String... tags) {
      return tags(Arrays.asList(Checks.notNull("tags", tags)));
    }

    /**
     * Says how it was consolidated.
     *
     * @param consolidationMethod at most 100 characters
     * @return this builder
     */
    public Builder consolidationMethod(@Nullable String consolidationMethod) {
      this.consolidationMethod = consolidationMethod;
      return this;
    }

    /**
     * Brings along when its row was written, for an import.
     *
     * @param createdAt null: now
     * @return this builder
     */
    public Builder createdAt(@Nullable Instant createdAt) {
      this.createdAt = createdAt;
      return this;
    }

    /**
     * Brings along when it was changed last, for an import.
     *
     * @param updatedAt null: now
     * @return this builder
     */
    public Builder updatedAt(@Nullable Instant updatedAt) {
      this.updatedAt = updatedAt;
      return this;
    }

    /**
     * Brings along when it was consolidated, for an import.
     *
     * @param consolidatedAt null: now
     * @return this builder
     */
    public Builder consolidatedAt(@Nullable Instant consolidatedAt) {
      this.consolidatedAt = consolidatedAt;
      return this;
    }

    /**
     * Brings along how often it has served as context again, for an import.
     *
     * @param reuseCount not negative
     * @return this builder
     */
    public Builder reuseCount(int reuseCount) {
      this.reuseCount = reuseCount;
      return this;
    }

    /**
     * The memory.
     *
     * @return the memory
     * @throws InvalidInputException if a part is not as it must be
     */
    public NewMemory build() {
      return new NewMemory(
          id,
          projectId,
          content,
          type,
          abstractionLevel,
          patternType,
          confidence,
          sourceMemoryIds,
          embedding,
          tags,
          consolidationMethod,
          createdAt,
          updatedAt,
          consolidatedAt,
          reuseCount);
    }
  }
}
