package io.agentmemory.consolidation.dao;

import org.jspecify.annotations.Nullable;

/**
 * A job on its way into the database. Made by its {@linkplain #builder builder}.
 *
 * @param id what identifies it, unique over all projects; null: a UUID (version 7) is generated
 * @param projectId the project whose memories it consolidates
 * @param trigger what led to it
 * @param scope what is to be consolidated, a JSON object of the application's
 * @param maxRetries how often it is tried again after the first try failed
 * @param triggeredBy who or what led to it, at most 255 characters
 */
public record NewJob(
    @Nullable String id,
    String projectId,
    TriggerType trigger,
    String scope,
    int maxRetries,
    @Nullable String triggeredBy) {

  private static final int LONGEST_TRIGGERED_BY = 255;

  /**
   * Checks the parts.
   *
   * @param id what identifies it
   * @param projectId the project whose memories it consolidates
   * @param trigger what led to it
   * @param scope a JSON object
   * @param maxRetries how often it is tried again
   * @param triggeredBy who or what led to it
   * @throws InvalidInputException if the database could not hold a part, or {@code trigger} is
   *     {@link TriggerType#UNKNOWN}
   */
  public NewJob {
    Checks.idOrNull("id", id);
    Checks.id("projectId", projectId);
    if (Checks.notNull("trigger", trigger) == TriggerType.UNKNOWN) {
      throw new InvalidInputException(
          "trigger must not be UNKNOWN, which stands for what a newer version wrote and is only"
              + " ever read: give one of the others");
    }
    JsonObjects.check("scope", scope);
    Checks.between("maxRetries", maxRetries, 0, Integer.MAX_VALUE);
    Checks.nameOrNull("triggeredBy", triggeredBy, LONGEST_TRIGGERED_BY);
  }

  /**
   * Starts a job from what every job has.
   *
   * @param projectId the project whose memories it consolidates
   * @param trigger what led to it
   * @return a builder
   */
  public static Builder builder(String projectId, TriggerType trigger) {
    return new Builder(projectId, trigger);
  }

  /** Collects a job's parts. Not thread-safe. */
  public static final class Builder {
    private final String projectId;
    private final TriggerType trigger;
    private @Nullable String id;
    private String scope = "{}";
    private int maxRetries = 3;
    private @Nullable String triggeredBy;

    private Builder(String projectId, TriggerType trigger) {
      this.projectId = projectId;
      this.trigger = trigger;
    }

    /**
     * Gives it an id of the application's.
     *
     * @param id unique over all projects; null: generated
     * @return this builder
     */
    public Builder id(@Nullable String id) {
      this.id = id;
      return this;
    }

    /**
     * Says what is to be consolidated, in the application's own terms. Empty unless set.
     *
     * @param scope a JSON object
     * @return this builder
     */
    public Builder scope(String scope) {
      this.scope = scope;
      return this;
    }

    /**
     * Says how often it is tried again after the first try failed. Three times unless set.
     *
     * @param maxRetries not negative
     * @return this builder
     */
    public Builder maxRetries(int maxRetries) {
      this.maxRetries = maxRetries;
      return this;
    }

    /**
     * Says who or what led to it.
     *
     * @param triggeredBy at most 255 characters
     * @return this builder
     */
    public Builder triggeredBy(@Nullable String triggeredBy) {
      this.triggeredBy = triggeredBy;
      return this;
    }

    /**
     * The job.
     *
     * @return the job
     * @throws InvalidInputException if the database could not hold a part
     */
    public NewJob build() {
      return new NewJob(id, projectId, trigger, scope, maxRetries, triggeredBy);
    }
  }
}
