package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.ddl.Identifiers;
import io.agentmemory.consolidation.ddl.QualifiedName;
import io.agentmemory.consolidation.schema.HostTable;
import io.agentmemory.consolidation.schema.SchemaOptions;
import io.agentmemory.consolidation.schema.SearchIndexes;
import java.util.HashMap;
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
    SchemaOptions options = names.options();
    Map<String, String> fragments = new HashMap<>();
    fragments.put("memories", names.memories());
    fragments.put("memoriesLiteral", literal(options, "consolidated_memories"));
    fragments.put("schemaLiteral", Identifiers.literal(options.schema()));
    fragments.put("vector", names.vectorType());
    fragments.put("singlePrecision", names.inExtension("vector"));
    fragments.put(
        "vectorSend",
        names.inExtension(VectorFormat.of(options.vectorType()).typeName() + "_send"));
    fragments.put("distance", names.cosineDistance());
    fragments.put("configuration", configuration(options.textSearchConfiguration()));
    fragments.put("dimensions", String.valueOf(options.dimensions()));
    fragments.put("to", ":"); // between the bounds of an array's slice
    fragments.put("exactUpTo", String.valueOf(SearchSql.EXACT_UP_TO));
    fragments.put("host", host.table().sql());
    fragments.put("hostId", Identifiers.quoted(host.idColumn()));
    fragments.put("hostProject", HostColumns.expression(host.project()));
    String extension = Identifiers.quoted(names.state().extensionSchema());
    fragments.put("innerProduct", "operator(" + extension + ".<#>)");
    fragments.put("coded", SearchIndexes.coded(options, extension));
    fragments.put(
        "codedQuery",
        SearchIndexes.codedQuery(options, extension, "given.embedding", "given.project"));
    fragments.put("byProjectServes", serves(options, SearchIndexes.BY_PROJECT));
    fragments.put("amongAllServes", serves(options, SearchIndexes.AMONG_ALL));
    return new SqlCache(Map.copyOf(fragments));
  }

  /** The name of a table or an index of the schema, as a text. */
  private static String literal(SchemaOptions options, String name) {
    return Identifiers.literal(new QualifiedName(options.schema(), name).sql());
  }

  /**
   * Whether an index is there and valid: while it is built online, and after that failed, it is
   * not.
   */
  private static String serves(SchemaOptions options, String index) {
    return "exists (select from pg_catalog.pg_index where indisvalid and indexrelid ="
        + " (select to_regclass(%s)))".formatted(literal(options, index));
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
