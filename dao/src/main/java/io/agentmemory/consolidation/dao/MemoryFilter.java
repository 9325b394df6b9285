package io.agentmemory.consolidation.dao;

import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which memories of a project to consider. Immutable; each method returns another filter. All
 * conditions must hold; one that was not set, or set to an empty collection, lets everything
 * through. No collection may hold more than 10,000 values.
 *
 * @param types one of these types
 * @param levels one of these levels
 * @param anyTags at least one of these tags
 * @param allTags all of these tags
 * @param patternTypes one of these patterns
 * @param minConfidence a confidence of at least this; a memory without one does not match
 * @param from consolidated at this time or later
 * @param to consolidated before this time
 */
public record MemoryFilter(
    Set<MemoryType> types,
    Set<AbstractionLevel> levels,
    Set<String> anyTags,
    Set<String> allTags,
    Set<String> patternTypes,
    @Nullable Double minConfidence,
    @Nullable Instant from,
    @Nullable Instant to) {

  private static final MemoryFilter NONE =
      new MemoryFilter(Set.of(), Set.of(), Set.of(), Set.of(), Set.of(), null, null, null);

  /**
   * Checks the parts and keeps unmodifiable copies of the sets.
   *
   * @param types one of these types
   * @param levels one of these levels
   * @param anyTags at least one of these tags
   * @param allTags all of these tags
   * @param patternTypes one of these patterns
   * @param minConfidence a confidence of at least this
   * @param from consolidated at this time or later
   * @param to consolidated before this time
   */
  public MemoryFilter {
    Checks.notNull("types", types).forEach(MemoryChecks::type);
    Checks.notNull("levels", levels).forEach(level -> Checks.notNull("level", level));
    types = Set.copyOf(types);
    levels = Set.copyOf(levels);
    anyTags = Set.copyOf(MemoryChecks.tags("anyTags", anyTags));
    allTags = Set.copyOf(MemoryChecks.tags("allTags", allTags));
    patternTypes = Set.copyOf(MemoryChecks.tags("patternTypes", patternTypes));
    MemoryChecks.confidence(minConfidence);
    from = MemoryChecks.time("from", from);
    to = MemoryChecks.time("to", to);
  }

  /**
   * Lets everything through.
   *
   * @return a filter without conditions
   */
  public static MemoryFilter none() {
    return NONE;
  }

  /**
   * Lets memories of these types through.
   *
   * @param types one of these
   * @return another filter
   */
  public MemoryFilter types(MemoryType... types) {
    return new MemoryFilter(
        new LinkedHashSet<>(Arrays.asList(Checks.notNull("types", types))),
        levels,
        anyTags,
        allTags,
        patternTypes,
        minConfidence,
        from,
        to);
  }

  /**
   * Lets memories of these levels through.
   *
   * @param levels one of these
   * @return another filter
   */
  public MemoryFilter levels(AbstractionLevel... levels) {
    return new MemoryFilter(
        types,
        new LinkedHashSet<>(Arrays.asList(Checks.notNull("levels", levels))),
        anyTags,
        allTags,
        patternTypes,
        minConfidence,
        from,
        to);
  }

  /**
   * Lets memories through that have one of these tags.
   *
   * @param tags at least one of these
   * @return another filter
   */
  public MemoryFilter anyTag(String... tags) {
    return anyTag(Checks.list("tags", tags));
  }

  /**
   * Lets memories through that have one of these tags.
   *
   * @param tags at least one of these
   * @return another filter
   */
  public MemoryFilter anyTag(Collection<String> tags) {
    return new MemoryFilter(
        types,
        levels,
        new LinkedHashSet<>(Checks.notNull("tags", tags)),
        allTags,
        patternTypes,
        minConfidence,
        from,
        to);
  }

  /**
   * Lets memories through that have all of these tags.
   *
   * @param tags all of these
   * @return another filter
   */
  public MemoryFilter allTags(String... tags) {
    return allTags(Checks.list("tags", tags));
  }

  /**
   * Lets memories through that have all of these tags.
   *
   * @param tags all of these
   * @return another filter
   */
  public MemoryFilter allTags(Collection<String> tags) {
    return new MemoryFilter(
        types,
        levels,
        anyTags,
        new LinkedHashSet<>(Checks.notNull("tags", tags)),
        patternTypes,
        minConfidence,
        from,
        to);
  }

  /**
   * Lets memories of these patterns through.
   *
   * @param patternTypes one of these
   * @return another filter
   */
  public MemoryFilter patternTypes(String... patternTypes) {
    return patternTypes(Checks.list("patternTypes", patternTypes));
  }

  /**
   * Lets memories of these patterns through.
   *
   * @param patternTypes one of these
   * @return another filter
   */
  public MemoryFilter patternTypes(Collection<String> patternTypes) {
    return new MemoryFilter(
        types,
        levels,
        anyTags,
        allTags,
        new LinkedHashSet<>(Checks.notNull("patternTypes", patternTypes)),
        minConfidence,
        from,
        to);
  }

  /**
   * Lets memories through whose confidence is known and high enough.
   *
   * @param minConfidence at least this, from 0 to 1
   * @return another filter
   */
  public MemoryFilter minConfidence(double minConfidence) {
    return new MemoryFilter(types, levels, anyTags, allTags, patternTypes, minConfidence, from, to);
  }

  /**
   * Lets memories through that were consolidated at a time or later.
   *
   * @param from the earliest time
   * @return another filter
   */
  public MemoryFilter from(Instant from) {
    return new MemoryFilter(types, levels, anyTags, allTags, patternTypes, minConfidence, from, to);
  }

  /**
   * Lets memories through that were consolidated before a time.
   *
   * @param to the first time that is too late
   * @return another filter
   */
  public MemoryFilter to(Instant to) {
    return new MemoryFilter(types, levels, anyTags, allTags, patternTypes, minConfidence, from, to);
  }
}
