package io.agentmemory.consolidation.quickstart;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.agentmemory.consolidation.dao.MemoryType;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** One line of a file of memories. */
final class MemoryLine {
  private static final List<String> FIELDS =
      List.of(
          "id",
          "project_id",
          "task_id",
          "execution_summary",
          "memory_type",
          "goal",
          "result",
          "feedback",
          "tool_usage",
          "success",
          "error_patterns",
          "learned_at");

  /** The table's other columns, which an export may hold. They are passed over. */
  private static final Set<String> PASSED_OVER =
      Set.of("context_embedding", "reused_count", "is_consolidated", "consolidated_into_id");

  /** What an id may have: two of them and a time have to fit an entry of an index. */
  private static final int LONGEST_ID = 512;

  private static final Pattern ESCAPED_NUL = Pattern.compile("(?<!\\\\)(?:\\\\{2})*\\\\u0000");

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final JsonNode object;

  private MemoryLine(JsonNode object) {
    this.object = object;
  }

  static AgentMemory parse(String line) {
    JsonNode node;
    try {
      node = JSON.readTree(line);
    } catch (JsonProcessingException e) {
      throw new BadLineException(
          "is not JSON (%s): write one whole JSON object on each line"
              .formatted(e.getOriginalMessage()),
          e);
    }
    if (!node.isObject()) {
      throw new BadLineException(
          "is not a JSON object: write {\"project_id\": …, \"task_id\": …, …}");
    }
    return new MemoryLine(node).memory();
  }

  private AgentMemory memory() {
    Set<String> unknown = new TreeSet<>();
    object.fieldNames().forEachRemaining(unknown::add);
    unknown.removeAll(FIELDS);
    unknown.removeAll(PASSED_OVER);
    if (!unknown.isEmpty()) {
      throw new BadLineException(
          "has unknown fields %s: remove them, the fields are %s".formatted(unknown, FIELDS));
    }
    String projectId = id("project_id");
    String taskId = id("task_id");
    String summary = required("execution_summary");
    return new AgentMemory(
        text("id") == null ? derivedId(projectId, taskId, summary) : id("id"),
        projectId,
        taskId,
        summary,
        type(),
        text("goal"),
        text("result"),
        text("feedback"),
        json("tool_usage"),
        success(),
        json("error_patterns"),
        learnedAt());
  }

  private static String derivedId(String projectId, String taskId, String summary) {
    String name = projectId + '\n' + taskId + '\n' + summary;
    return UUID.nameUUIDFromBytes(name.getBytes(UTF_8)).toString();
  }

  private MemoryType type() {
    String value = text("memory_type");
    MemoryType type = value == null ? MemoryType.DISCOVERY : MemoryType.of(value);
    if (type == MemoryType.UNKNOWN) {
      throw new BadLineException(
          "has the memory_type \"%s\": use one of %s"
              .formatted(
                  value,
                  Stream.of(MemoryType.values())
                      .filter(known -> known != MemoryType.UNKNOWN)
                      .map(MemoryType::value)
                      .collect(Collectors.joining(", "))));
    }
    return type;
  }

  private boolean success() {
    JsonNode value = object.path("success");
    if (!value.isBoolean()) {
      throw new BadLineException(
          "has no success, or one that is not a boolean: write true or false");
    }
    return value.booleanValue();
  }

  private @Nullable Instant learnedAt() {
    String value = text("learned_at");
    if (value == null) {
      return null;
    }
    try {
      return OffsetDateTime.parse(value).toInstant();
    } catch (DateTimeException e) {
      throw new BadLineException(
          "has the learned_at \"%s\": write it like 2025-05-30T14:07:00Z".formatted(value), e);
    }
  }

  private String id(String field) {
    String value = required(field);
    if (value.getBytes(UTF_8).length > LONGEST_ID) {
      throw new BadLineException(
          "has a %s of more than %d bytes: shorten it".formatted(field, LONGEST_ID));
    }
    return value;
  }

  private String required(String field) {
    String value = text(field);
    if (value == null || value.isBlank()) {
      throw new BadLineException("has no %s: add it".formatted(field));
    }
    return value;
  }

  private @Nullable String text(String field) {
    JsonNode value = object.path(field);
    if (value.isMissingNode() || value.isNull()) {
      return null;
    }
    if (!value.isTextual()) {
      throw new BadLineException("has a %s that is not text: put it in quotes".formatted(field));
    }
    return storable(field, value.textValue(), value.textValue().indexOf('\0') >= 0);
  }

  private @Nullable String json(String field) {
    JsonNode value = object.path(field);
    if (value.isMissingNode() || value.isNull()) {
      return null;
    }
    String text = value.toString();
    return storable(field, text, ESCAPED_NUL.matcher(text).find());
  }

  /** Refuses what PostgreSQL cannot store: U+0000, and halves of surrogate pairs. */
  private static String storable(String field, String value, boolean holdsNul) {
    if (holdsNul) {
      throw new BadLineException(
          "has U+0000 in %s, which PostgreSQL cannot store: remove it".formatted(field));
    }
    if (!UTF_8.newEncoder().canEncode(value)) {
      throw new BadLineException(
          "has half a surrogate pair in %s, which is no character: remove it".formatted(field));
    }
    return value;
  }
}
