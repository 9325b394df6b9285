package io.agentmemory.consolidation.dao;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What to change of a memory; the rest stays as it is. Immutable, made by its {@linkplain #builder
 * builder}. The sources of a memory do not change.
 */
public final class MemoryUpdate {
  /** Sets the parameter of one assignment. */
  private interface Binding {
    void bind(Call call) throws SQLException;
  }

  private record Change(String assignment, Binding binding) {}

  /** In one order, so that the same parts make the same statement however they were set. */
  private final List<Change> changes;

  private final @Nullable Embedding embedding;

  private MemoryUpdate(Builder builder) {
    this.changes =
        builder.changes.stream().sorted(Comparator.comparing(Change::assignment)).toList();
    this.embedding = builder.embedding;
  }

  /**
   * Starts without changes.
   *
   * @return a builder
   */
  public static Builder builder() {
    return new Builder();
  }

  /** The assignments, with commas between them. */
  String assignments() {
    List<String> assignments = new ArrayList<>(changes.size());
    changes.forEach(change -> assignments.add(change.assignment));
    return String.join(", ", assignments);
  }

  /** Sets the parameters of the assignments. */
  void bind(Call call) throws SQLException {
    for (Change change : changes) {
      change.binding.bind(call);
    }
  }

  /** The embedding to set, if one is. */
  @Nullable Embedding embedding() {
    return embedding;
  }

  /** Collects changes. Not thread-safe. Setting one part twice: the last time counts. */
  public static final class Builder {
    private final List<Change> changes = new ArrayList<>();
    private @Nullable Embedding embedding;

    private Builder() {}

    private Builder set(String assignment, Binding binding) {
      changes.removeIf(change -> change.assignment.equals(assignment));
      changes.add(new Change(assignment, binding));
      return this;
    }

    /**
     * Changes the text, and the embedding with it: that of the old text would be wrong.
     *
     * @param content the text
     * @param embedding its vector; null: the memory has none, and no vector search finds it
     * @return this builder
     */
    public Builder content(String content, @Nullable Embedding embedding) {
      MemoryChecks.content(content);
      return set("content = :content", call -> call.text("content", content)).embedding(embedding);
    }

    /**
     * Changes the embedding.
     *
     * @param embedding the vector; null: the memory has none, and no vector search finds it
     * @return this builder
     */
    public Builder embedding(@Nullable Embedding embedding) {
      this.embedding = embedding;
      return set(
          "embedding = cast(cast(:embedding as float4[]) as {vector})",
          call -> call.vector("embedding", embedding));
    }

    /**
     * Changes the type.
     *
     * @param type what kind of knowledge the memory is
     * @return this builder
     */
    public Builder type(MemoryType type) {
      MemoryChecks.type(type);
      return set("memory_type = :type", call -> call.text("type", type.value()));
    }

    /**
     * Changes the abstraction level.
     *
     * @param abstractionLevel how far the memory is from its sources
     * @return this builder
     */
    public Builder abstractionLevel(AbstractionLevel abstractionLevel) {
      Checks.notNull("abstractionLevel", abstractionLevel);
      return set(
          "abstraction_level = :level", call -> call.integer("level", abstractionLevel.level()));
    }

    /**
     * Changes the pattern.
     *
     * @param patternType the pattern's name, at most 50 characters; null: none
     * @return this builder
     */
    public Builder patternType(@Nullable String patternType) {
      MemoryChecks.patternType(patternType);
      return set("pattern_type = :pattern", call -> call.text("pattern", patternType));
    }

    /**
     * Changes the confidence.
     *
     * @param confidence from 0 to 1; null: not known
     * @return this builder
     */
    public Builder confidence(@Nullable Double confidence) {
      MemoryChecks.confidence(confidence);
      return set("confidence_score = :confidence", call -> call.number("confidence", confidence));
    }

    /**
     * Changes the tags, all of them.
     *
     * @param tags at most 10,000, each at most 50 characters
     * @return this builder
     */
    public Builder tags(Collection<String> tags) {
      List<String> copy = MemoryChecks.tags("tags", tags);
      return set("tags = :tags", call -> call.texts("tags", copy));
    }

    /**
     * Changes how the memory says it was consolidated.
     *
     * @param consolidationMethod at most 100 characters; null: not known
     * @return this builder
     */
    public Builder consolidationMethod(@Nullable String consolidationMethod) {
      MemoryChecks.consolidationMethod(consolidationMethod);
      return set(
          "consolidation_method = :method", call -> call.text("method", consolidationMethod));
    }

    /**
     * The changes.
     *
     * @return the changes
     * @throws InvalidInputException if nothing is changed
     */
    public MemoryUpdate build() {
      if (changes.isEmpty()) {
        throw new InvalidInputException("An update must change something: set at least one part");
      }
      return new MemoryUpdate(this);
    }
  }
}
