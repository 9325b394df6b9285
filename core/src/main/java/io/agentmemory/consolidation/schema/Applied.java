package io.agentmemory.consolidation.schema;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A row of the history.
 *
 * @param pending the indexes, as qualified and quoted names, that are still to be made online
 */
record Applied(
    String stream,
    int position,
    String revision,
    @Nullable String requires,
    String checksum,
    Map<?, ?> options,
    boolean additive,
    List<String> created,
    List<String> pending,
    Instant appliedAt,
    String appliedBy) {

  static Applied read(@Nullable Object json) {
    Map<?, ?> row = OptionsJson.object(json);
    return new Applied(
        OptionsJson.string(row, "stream"),
        OptionsJson.number(row, "position"),
        OptionsJson.string(row, "revision"),
        row.get("requires") == null ? null : OptionsJson.string(row, "requires"),
        OptionsJson.string(row, "checksum"),
        OptionsJson.object(row.get("options")),
        Boolean.TRUE.equals(row.get("additive")),
        strings(row.get("created")),
        strings(row.get("pending")),
        OffsetDateTime.parse(OptionsJson.string(row, "applied_at")).toInstant(),
        OptionsJson.string(row, "applied_by"));
  }

  private static List<String> strings(@Nullable Object json) {
    return json instanceof List<?> list ? list.stream().map(String::valueOf).toList() : List.of();
  }
}
