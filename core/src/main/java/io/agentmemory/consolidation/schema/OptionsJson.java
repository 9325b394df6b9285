package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.QualifiedName;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The JSON form of {@link SchemaOptions}. */
final class OptionsJson {
  private OptionsJson() {}

  static String write(SchemaOptions options) {
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("schema", options.schema());
    json.put("dimensions", options.dimensions());
    json.put("vectorType", options.vectorType().typeName());
    json.put("m", options.hnsw().m());
    json.put("efConstruction", options.hnsw().efConstruction());
    json.put("textSearchConfiguration", options.textSearchConfiguration());
    json.put("hostTable", write(options.hostTable()));
    if (options.rowLevelSecurity()) {
      json.put("rowLevelSecurity", true);
    }
    return Json.write(json);
  }

  private static Map<String, @Nullable Object> write(HostTable host) {
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("schema", host.table().schema());
    json.put("name", host.table().name());
    json.put("idColumn", host.idColumn());
    json.put("project", host.project());
    json.put("text", host.text());
    json.put("embedding", host.embedding());
    json.put("type", host.type());
    json.put("success", host.success());
    json.put("time", host.time());
    return json;
  }

  static SchemaOptions read(String text) {
    return read(object(Json.read(text)));
  }

  static SchemaOptions read(Map<?, ?> json) {
    Map<?, ?> host = object(json.get("hostTable"));
    return SchemaOptions.builder()
        .schema(string(json, "schema"))
        .dimensions(number(json, "dimensions"))
        .vectorType(VectorType.valueOf(string(json, "vectorType").toUpperCase(Locale.ROOT)))
        .hnsw(new HnswParameters(number(json, "m"), number(json, "efConstruction")))
        .textSearchConfiguration(string(json, "textSearchConfiguration"))
        .hostTable(
            new HostTable(
                new QualifiedName(string(host, "schema"), string(host, "name")),
                string(host, "idColumn"),
                optional(host, "project"),
                optional(host, "text"),
                optional(host, "embedding"),
                optional(host, "type"),
                optional(host, "success"),
                optional(host, "time")))
        .rowLevelSecurity(Boolean.TRUE.equals(json.get("rowLevelSecurity")))
        .build();
  }

  static Map<?, ?> object(@Nullable Object json) {
    if (json instanceof Map<?, ?> map) {
      return map;
    }
    throw new IllegalArgumentException("Not the JSON of schema options: " + json);
  }

  static String string(Map<?, ?> json, String key) {
    if (json.get(key) instanceof String string) {
      return string;
    }
    throw missing(key);
  }

  static int number(Map<?, ?> json, String key) {
    if (json.get(key) instanceof Integer number) {
      return number;
    }
    throw missing(key);
  }

  private static @Nullable String optional(Map<?, ?> json, String key) {
    return json.get(key) == null ? null : string(json, key);
  }

  private static IllegalArgumentException missing(String key) {
    return new IllegalArgumentException("The recorded JSON has no fitting member " + key);
  }
}
