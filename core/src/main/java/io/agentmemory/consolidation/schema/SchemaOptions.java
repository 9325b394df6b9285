package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Identifiers;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a database's consolidation schema looks like: one value that the schema and the data access
 * objects share, and that the history in the database records.
 *
 * <p>Immutable and thread-safe. No argument may be null.
 */
public final class SchemaOptions {
  /**
   * The setting that says which project a transaction is about, where {@linkplain
   * #rowLevelSecurity() row-level security} is on. The data access objects set it; a query by hand
   * does so by {@code select set_config('consolidation.project', 'the project', true)}, which lasts
   * until its transaction ends.
   */
  public static final String PROJECT_SETTING = "consolidation.project";

  private static final Pattern TEXT_SEARCH_CONFIGURATION =
      Pattern.compile("[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)?");

  private static final SchemaOptions DEFAULTS = builder().build();

  private final String schema;
  private final int dimensions;
  private final VectorType vectorType;
  private final HnswParameters hnsw;
  private final String textSearchConfiguration;
  private final HostTable hostTable;
  private final boolean rowLevelSecurity;

  private SchemaOptions(Builder builder) {
    schema = builder.schema;
    dimensions = builder.dimensions;
    VectorType fitting = VectorType.forDimensions(dimensions);
    vectorType = builder.vectorType == null ? fitting : builder.vectorType;
    if (dimensions > vectorType.maxDimensions()) {
      throw new IllegalArgumentException(
          "An HNSW index takes at most "
              + vectorType.maxDimensions()
              + " dimensions of "
              + vectorType.typeName()
              + ", not "
              + dimensions
              + ". Leave the vector type out, or set "
              + fitting);
    }
    hnsw = builder.hnsw;
    textSearchConfiguration = builder.textSearchConfiguration;
    hostTable = builder.hostTable == null ? HostTable.created(schema) : builder.hostTable;
    rowLevelSecurity = builder.rowLevelSecurity;
  }

  /**
   * The defaults: schema {@code public}, 1536 dimensions of {@code vector}, pgvector's own HNSW
   * parameters, {@code english}, and the host's table {@code public.task_memories} as {@code
   * task_memories_001} creates it.
   *
   * @return the defaults
   */
  public static SchemaOptions defaults() {
    return DEFAULTS;
  }

  /**
   * A builder that starts from the defaults.
   *
   * @return a new builder
   */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * A builder that starts from these options, with everything that was derived now fixed.
   *
   * @return a new builder
   */
  public Builder toBuilder() {
    return new Builder()
        .schema(schema)
        .dimensions(dimensions)
        .vectorType(vectorType)
        .hnsw(hnsw)
        .textSearchConfiguration(textSearchConfiguration)
        .hostTable(hostTable)
        .rowLevelSecurity(rowLevelSecurity);
  }

  /**
   * The schema that the library's tables stand in.
   *
   * @return the schema's name, without quotes
   */
  public String schema() {
    return schema;
  }

  /**
   * How many dimensions an embedding has.
   *
   * @return the number of dimensions
   */
  public int dimensions() {
    return dimensions;
  }

  /**
   * The type that embeddings are stored as.
   *
   * @return the type
   */
  public VectorType vectorType() {
    return vectorType;
  }

  /**
   * How the HNSW graph is built.
   *
   * @return the parameters
   */
  public HnswParameters hnsw() {
    return hnsw;
  }

  /**
   * The text search configuration.
   *
   * @return its name, bare where it is one of {@code pg_catalog}
   */
  public String textSearchConfiguration() {
    return textSearchConfiguration;
  }

  /**
   * The host's table and how to read it.
   *
   * @return the mapping
   */
  public HostTable hostTable() {
    return hostTable;
  }

  /**
   * Whether the database itself keeps the projects' consolidated memories and jobs apart.
   *
   * @return true if it does
   */
  public boolean rowLevelSecurity() {
    return rowLevelSecurity;
  }

  /** What all rows of a history have in common: row-level security may come and go. */
  SchemaOptions recorded() {
    return rowLevelSecurity ? toBuilder().rowLevelSecurity(false).build() : this;
  }

  /**
   * These options as JSON, the form that the history records.
   *
   * @return a JSON object
   */
  public String toJson() {
    return OptionsJson.write(this);
  }

  /**
   * Reads what {@link #toJson} wrote. Members it does not know are left aside.
   *
   * @param json a JSON object
   * @return the options
   * @throws IllegalArgumentException if it is not the JSON of options
   */
  public static SchemaOptions fromJson(String json) {
    return OptionsJson.read(json);
  }

  /** Every way in which {@code given} differs from these options, which are the recorded ones. */
  List<String> differencesTo(SchemaOptions given) {
    List<String> differences = new ArrayList<>();
    compare(differences, "schema", schema, given.schema);
    compare(differences, "dimensions", dimensions, given.dimensions);
    compare(differences, "vector type", vectorType, given.vectorType);
    compare(differences, "HNSW m", hnsw.m(), given.hnsw.m());
    compare(
        differences, "HNSW ef_construction", hnsw.efConstruction(), given.hnsw.efConstruction());
    compare(
        differences,
        "text search configuration",
        textSearchConfiguration,
        given.textSearchConfiguration);
    HostTable other = given.hostTable;
    compare(differences, "host table", hostTable.table(), other.table());
    compare(differences, "host table's id column", hostTable.idColumn(), other.idColumn());
    compare(differences, "host table's project", hostTable.project(), other.project());
    compare(differences, "host table's text", hostTable.text(), other.text());
    compare(differences, "host table's embedding", hostTable.embedding(), other.embedding());
    compare(differences, "host table's type", hostTable.type(), other.type());
    compare(differences, "host table's success", hostTable.success(), other.success());
    compare(differences, "host table's time", hostTable.time(), other.time());
    compare(differences, "row-level security", rowLevelSecurity, given.rowLevelSecurity);
    return differences;
  }

  private static void compare(
      List<String> differences, String what, @Nullable Object recorded, @Nullable Object given) {
    if (!Objects.equals(recorded, given)) {
      differences.add(what + ": recorded " + recorded + ", given " + given);
    }
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof SchemaOptions that && differencesTo(that).isEmpty();
  }

  @Override
  public int hashCode() {
    return Objects.hash(
        schema, dimensions, vectorType, hnsw, textSearchConfiguration, hostTable, rowLevelSecurity);
  }

  @Override
  public String toString() {
    return "SchemaOptions" + toJson();
  }

  /** Collects options. Not thread-safe. No argument may be null. */
  public static final class Builder {
    private String schema = "public";
    private int dimensions = 1536;
    private @Nullable VectorType vectorType;
    private HnswParameters hnsw = HnswParameters.DEFAULT;
    private String textSearchConfiguration = "english";
    private @Nullable HostTable hostTable;
    private boolean rowLevelSecurity;

    private Builder() {}

    /**
     * The schema that the library's tables stand in; created where it does not exist.
     *
     * @param schema the schema's name, without quotes
     * @return this builder
     * @throws IllegalArgumentException if it is no name that PostgreSQL keeps
     */
    public Builder schema(String schema) {
      this.schema = Identifiers.check("schema", schema);
      if (schema.startsWith("pg_")) {
        throw new IllegalArgumentException(
            "The schema " + schema + " is PostgreSQL's own; choose a name without pg_ in front");
      }
      return this;
    }

    /**
     * How many dimensions an embedding has.
     *
     * @param dimensions 1 to 4000
     * @return this builder
     */
    public Builder dimensions(int dimensions) {
      this.dimensions = dimensions;
      return this;
    }

    /**
     * The type that embeddings are stored as; chosen by the dimensions unless set.
     *
     * @param vectorType the type
     * @return this builder
     */
    public Builder vectorType(VectorType vectorType) {
      this.vectorType = Objects.requireNonNull(vectorType, "vectorType");
      return this;
    }

    /**
     * How the HNSW graph is built.
     *
     * @param hnsw the parameters
     * @return this builder
     */
    public Builder hnsw(HnswParameters hnsw) {
      this.hnsw = Objects.requireNonNull(hnsw, "hnsw");
      return this;
    }

    /**
     * The text search configuration of {@code content_tsv}. A bare name is one of {@code
     * pg_catalog}; one of another schema is written {@code schema.name}.
     *
     * @param configuration letters, digits and underscores, with at most one dot
     * @return this builder
     * @throws IllegalArgumentException if it is written in any other way
     */
    public Builder textSearchConfiguration(String configuration) {
      if (!TEXT_SEARCH_CONFIGURATION.matcher(configuration).matches()) {
        throw new IllegalArgumentException(
            "Not the name of a text search configuration: "
                + configuration
                + ". Write it as english or as schema.name");
      }
      this.textSearchConfiguration = configuration;
      return this;
    }

    /**
     * The host's table and how to read it; {@code task_memories} in the target schema, as {@code
     * task_memories_001} creates it, unless set.
     *
     * @param hostTable the mapping
     * @return this builder
     */
    public Builder hostTable(HostTable hostTable) {
      this.hostTable = Objects.requireNonNull(hostTable, "hostTable");
      return this;
    }

    /**
     * Whether the database itself keeps the projects' consolidated memories and jobs apart, even
     * against a query by hand; off unless set. An upgrade with it on adds the revision {@code
     * consolidation_005}, to a database that was upgraded without as well: policies by which a
     * transaction has the rows of the project that {@value #PROJECT_SETTING} names, and no others.
     * They hold for the owner of the tables too, not for superusers and roles with {@code
     * BYPASSRLS}. To switch it off, downgrade to {@code consolidation_004} with it on. The host's
     * table is left alone.
     *
     * <p>PostgreSQL uses no index for a condition under policies that is not leakproof, as those on
     * words and arrays are not. So each search by words or tags reads the project's rows, and so
     * does each look at what was consolidated from a memory: when memories are consolidated, undone
     * or deleted, when pairs are sought among those that are unconsolidated, and for each memory
     * that the descendants of one are followed over.
     *
     * @param on whether it does
     * @return this builder
     */
    public Builder rowLevelSecurity(boolean on) {
      this.rowLevelSecurity = on;
      return this;
    }

    /**
     * The options.
     *
     * @return an immutable value
     * @throws IllegalArgumentException if the dimensions cannot be indexed as that type
     */
    public SchemaOptions build() {
      return new SchemaOptions(this);
    }
  }
}
