package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.ddl.Identifiers;
import io.agentmemory.consolidation.schema.HostTable;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/** The statements of one schema, each made at its first use. Thread-safe. */
final class SqlCache {
  private final Map<String, String> fragments;
  private final Map<Object, Sql> made = new ConcurrentHashMap<>();

  private SqlCache(Map<String, String> fragments) {
    this.fragments = fragments;
  }

  static SqlCache of(Names names) {
    HostTable host = names.options().hostTable();
    return new SqlCache(
        Map.of(
            "memories", names.memories(),
            "vector", names.vectorType(),
            "vectorSend",
                names.inExtension(
                    VectorFormat.of(names.options().vectorType()).typeName() + "_send"),
            "distance", names.cosineDistance(),
            "configuration", configuration(names.options().textSearchConfiguration()),
            "exactUpTo", String.valueOf(SearchSql.EXACT_UP_TO),
            "host", host.table().sql(),
            "hostId", Identifiers.quoted(host.idColumn()),
            "hostProject", HostColumns.expression(host.project())));
  }

  /** A bare name is one of the system's. */
  private static String configuration(String name) {
    String qualified = name.contains(".") ? name : "pg_catalog." + name;
    return "cast(" + Identifiers.literal(qualified) + " as regconfig)";
  }

  /** The statement of a key: a value that with its class says all that the template depends on. */
  <K> Sql get(K key, Function<K, String> template) {
    Sql sql = made.get(key);
    return sql != null
        ? sql
        : made.computeIfAbsent(key, absent -> Sql.of(template.apply(key), fragments));
  }

  /** The statement of a template that depends on nothing. */
  Sql get(String template) {
    return get(template, Function.identity());
  }
}
