package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.schema.SchemaOptions;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** What memories, filters and queries may hold: everything that is known before any I/O. */
final class MemoryChecks {
  /** More rows than this are for a list in pages. */
  static final int MOST_ROWS = 10_000;

  /** No memory has more tags or sources than this, and no filter more tags or patterns. */
  private static final int MOST_ELEMENTS = 10_000;

  private static final int LONGEST_QUERY = 32_768;
  private static final int LONGEST_CONTENT = 16 << 20;
  private static final int LONGEST_TAG = 50;
  private static final int LONGEST_PATTERN = 50;
  private static final int LONGEST_METHOD = 100;

  private MemoryChecks() {}

  /** The project of these memories, or of the first of them where they may be of several. */
  static String project(List<NewMemory> memories, SchemaOptions options) {
    String projectId = memories.get(0).projectId();
    memories.forEach(memory -> sameProject(projectId, memory, options));
    return projectId;
  }

  static void sameProject(String projectId, NewMemory memory, SchemaOptions options) {
    if (options.rowLevelSecurity() && !memory.projectId().equals(projectId)) {
      throw new InvalidInputException(
          "with row-level security the memories of one call must be of one project, but one is of %s"
                  .formatted(Checks.quoted(memory.projectId()))
              + " and the first of %s: give each project's in a call of its own"
                  .formatted(Checks.quoted(projectId)));
    }
  }

  static void limit(String name, int limit) {
    Checks.between(name, limit, 1, MOST_ROWS);
  }

  static void depth(int depth, int limit) {
    Checks.between("depth", depth, limit, MOST_ROWS);
  }

  static void queryText(String text) {
    Checks.text("text", text);
    if (text.isBlank()) {
      throw new InvalidInputException("text is empty: give it words to search for");
    }
    if (text.length() > LONGEST_QUERY) {
      throw new InvalidInputException(
          "text must have at most %,d characters to be searched for, has %,d: shorten it"
              .formatted(LONGEST_QUERY, text.length()));
    }
  }

  static void content(String content) {
    Checks.text("content", content);
    if (content.length() > LONGEST_CONTENT) {
      throw new InvalidInputException(
          "content must have at most %,d characters, has %,d: split or summarise it"
              .formatted(LONGEST_CONTENT, content.length()));
    }
  }

  static void type(MemoryType type) {
    Checks.notNull("type", type);
    if (type == MemoryType.UNKNOWN) {
      throw new InvalidInputException(
          "type must not be UNKNOWN, which stands for what a newer version wrote and is only ever"
              + " read: give one of the others");
    }
  }

  static void patternType(@Nullable String patternType) {
    Checks.nameOrNull("patternType", patternType, LONGEST_PATTERN);
  }

  static void consolidationMethod(@Nullable String method) {
    Checks.nameOrNull("consolidationMethod", method, LONGEST_METHOD);
  }

  static void confidence(@Nullable Double confidence) {
    if (confidence != null) {
      fraction("confidence", confidence);
    }
  }

  static void fraction(String name, double value) {
    if (!(value >= 0 && value <= 1)) {
      throw new InvalidInputException(name + " must be between 0 and 1, was " + value);
    }
  }

  static void maxDistance(@Nullable Double distance) {
    if (distance != null && !(distance >= 0 && distance <= 2)) {
      throw new InvalidInputException(
          "maxDistance must be between 0 (same direction) and 2 (opposite), was " + distance);
    }
  }

  static List<String> tags(String name, Collection<String> tags) {
    return each(name, few(name, tags), (element, tag) -> Checks.name(element, tag, LONGEST_TAG));
  }

  /** Ids of which one may occur twice, since the database holds what others wrote. */
  static List<String> ids(String name, Collection<String> ids) {
    return each(name, few(name, ids), Checks::id);
  }

  private static Collection<String> few(String name, Collection<String> values) {
    if (Checks.notNull(name, values).size() > MOST_ELEMENTS) {
      throw new InvalidInputException(
          "%s must be at most %,d, were %,d".formatted(name, MOST_ELEMENTS, values.size()));
    }
    return values;
  }

  private static List<String> each(
      String name, Collection<String> values, BiConsumer<String, String> check) {
    int i = 0;
    for (String value : values) {
      check.accept(name + "[" + i++ + "]", value);
    }
    return List.copyOf(values);
  }

  /** Ids to be looked up, each once. */
  static Set<String> distinctIds(Collection<String> ids) {
    Set<String> distinct = new LinkedHashSet<>(each("ids", Checks.notNull("ids", ids), Checks::id));
    if (distinct.size() > MOST_ROWS) {
      throw new InvalidInputException(
          "ids must be at most %,d at a time, were %,d".formatted(MOST_ROWS, distinct.size()));
    }
    return distinct;
  }

  /** A time that the database can hold, in its microseconds. */
  static @Nullable Instant time(String name, @Nullable Instant time) {
    return time == null ? null : Checks.time(name, time).truncatedTo(ChronoUnit.MICROS);
  }

  /** An embedding that fits the schema, and is still one when it is stored. */
  static void embedding(@Nullable Embedding embedding, SchemaOptions options) {
    if (embedding == null) {
      return;
    }
    if (embedding.dimensions() != options.dimensions()) {
      throw new InvalidInputException(
          "embedding must have %,d dimensions, as the schema has, has %,d"
              .formatted(options.dimensions(), embedding.dimensions()));
    }
    VectorFormat format = VectorFormat.of(options.vectorType());
    if (format == VectorFormat.VECTOR) {
      return;
    }
    boolean zero = true;
    for (float value : embedding.values()) {
      float stored = format.stored(value);
      if (Float.isInfinite(stored)) {
        throw new InvalidInputException(
            "embedding must hold numbers up to 65504, as halfvec does, holds "
                + value
                + ": normalise it");
      }
      zero &= stored == 0;
    }
    if (zero) {
      throw new InvalidInputException(
          "embedding must not be zero, and is when it is stored as halfvec (from 6e-8 on): normalise it");
    }
  }

  /** A copy of embeddings that all fit the schema. */
  static List<Embedding> embeddings(List<Embedding> embeddings, SchemaOptions options) {
    List<Embedding> copy = new ArrayList<>(Checks.notNull("embeddings", embeddings));
    for (int i = 0; i < copy.size(); i++) {
      String name = "embeddings[" + i + "]";
      try {
        embedding(Checks.notNull(name, copy.get(i)), options);
      } catch (InvalidInputException e) {
        throw new InvalidInputException(name + ": " + e.getMessage(), e);
      }
    }
    return copy;
  }

  /** A copy of memories none of which is null, and which all fit the schema. */
  static List<NewMemory> memories(Collection<NewMemory> memories, SchemaOptions options) {
    List<NewMemory> copy = new ArrayList<>(Checks.notNull("memories", memories));
    for (int i = 0; i < copy.size(); i++) {
      NewMemory memory = Checks.notNull("memory number " + (i + 1), copy.get(i));
      try {
        embedding(memory.embedding(), options);
      } catch (InvalidInputException e) {
        throw new InvalidInputException("memory number " + (i + 1) + ": " + e.getMessage(), e);
      }
    }
    return copy;
  }
}
