package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.ddl.QualifiedName;
import io.agentmemory.consolidation.schema.SchemaOptions;
import io.agentmemory.consolidation.schema.SchemaState;
import java.util.Locale;

/**
 * What our statements call things, as SQL: everything is quoted and carries its schema, so that no
 * {@code search_path} can send a statement elsewhere.
 */
final class Names {
  private final SchemaOptions options;
  private final SchemaState state;

  Names(SchemaOptions options, SchemaState state) {
    this.options = options;
    this.state = state;
  }

  /** {@code consolidated_memories}. */
  String memories() {
    return qualified(options.schema(), "consolidated_memories");
  }

  /** {@code consolidation_jobs}. */
  String jobs() {
    return qualified(options.schema(), "consolidation_jobs");
  }

  /** The host's table. */
  String taskMemories() {
    QualifiedName table = options.hostTable().table();
    return qualified(table.schema(), table.name());
  }

  /** The type of the embeddings, without dimensions. */
  String vectorType() {
    return inExtension(options.vectorType().name().toLowerCase(Locale.ROOT));
  }

  /** The type of the embeddings, with their dimensions. */
  String vectorColumnType() {
    return vectorType() + "(" + options.dimensions() + ")";
  }

  /** The operator of the cosine distance. */
  String cosineDistance() {
    return "operator(" + quoted(state.extensionSchema()) + ".<=>)";
  }

  /** A function or type of the extension. */
  String inExtension(String name) {
    return qualified(state.extensionSchema(), name);
  }

  /** What {@link io.agentmemory.consolidation.schema.Schema#inspect} found. */
  SchemaState state() {
    return state;
  }

  SchemaOptions options() {
    return options;
  }

  private static String qualified(String schema, String name) {
    return quoted(schema) + "." + quoted(name);
  }

  /**
   * An identifier in quotes. A quote within it is written as its code point: Jdbi's parser of named
   * parameters takes a doubled one for the end of the identifier.
   */
  static String quoted(String identifier) {
    return identifier.indexOf('"') < 0
        ? '"' + identifier + '"'
        : "U&\"" + identifier.replace("\\", "\\\\").replace("\"", "\\0022") + '"';
  }
}
