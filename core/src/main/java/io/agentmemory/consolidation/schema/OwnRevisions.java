package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.Column;
import io.agentmemory.consolidation.ddl.ColumnType;
import io.agentmemory.consolidation.ddl.Identifiers;
import io.agentmemory.consolidation.ddl.Index;
import io.agentmemory.consolidation.ddl.IndexKey;
import io.agentmemory.consolidation.ddl.Policy;
import io.agentmemory.consolidation.ddl.QualifiedName;
import io.agentmemory.consolidation.ddl.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The library's own revisions, the only place where its tables are written down. */
final class OwnRevisions {
  static final String STREAM = "consolidation";
  static final String TASK_MEMORIES_001 = "task_memories_001";
  static final String CONSOLIDATION_001 = "consolidation_001";
  static final String CONSOLIDATION_002 = "consolidation_002";
  static final String CONSOLIDATION_003 = "consolidation_003";
  static final String CONSOLIDATION_004 = "consolidation_004";

  /** Only where {@link SchemaOptions#rowLevelSecurity} is on. */
  static final String CONSOLIDATION_005 = "consolidation_005";

  static final List<String> IDS =
      List.of(
          TASK_MEMORIES_001,
          CONSOLIDATION_001,
          CONSOLIDATION_002,
          CONSOLIDATION_003,
          CONSOLIDATION_004,
          CONSOLIDATION_005);

  private static final String MEMORY_TYPES =
      "memory_type IN ('error_fix', 'discovery', 'decision', 'learning', 'warning',"
          + " 'codebase_knowledge')";

  /** A column by its name, and none of the words that stand for a value without parentheses. */
  private static final Pattern COLUMN =
      Pattern.compile(
          "\"([^\"]|\"\")+\"|(?!((current_|session_)\\w+|user|true|false|null|localtime\\w*)$)"
              + "[a-z_][a-z0-9_]*");

  private final SchemaOptions options;
  private final QualifiedName memories;
  private final QualifiedName jobs;
  private final QualifiedName host;

  private OwnRevisions(SchemaOptions options) {
    this.options = options;
    this.memories = new QualifiedName(options.schema(), "consolidated_memories");
    this.jobs = new QualifiedName(options.schema(), "consolidation_jobs");
    this.host = options.hostTable().table();
  }

  /** The revisions, oldest first; that of an adopted host table changes nothing. */
  static List<Revision> of(SchemaOptions options, boolean hostTableAdopted) {
    OwnRevisions own = new OwnRevisions(options);
    Revision first = Revision.of(TASK_MEMORIES_001);
    List<Revision> revisions =
        new ArrayList<>(
            List.of(
                hostTableAdopted ? first : first.change(Change.create(own.taskMemories())),
                own.consolidation(),
                own.searchIndexes(),
                own.readingIndexes(hostTableAdopted),
                own.jobs()));
    if (options.rowLevelSecurity()) {
      revisions.add(own.rowLevelSecurity());
    }
    return List.copyOf(revisions);
  }

  private Table taskMemories() {
    return Table.of(
            host,
            Column.of(options.hostTable().idColumn(), ColumnType.varchar()).notNull(),
            Column.of("project_id", ColumnType.varchar()).notNull(),
            Column.of("task_id", ColumnType.varchar()).notNull(),
            Column.of("execution_summary", ColumnType.text()).notNull(),
            Column.of("memory_type", ColumnType.varchar(50)).notNull().withDefault("'discovery'"),
            Column.of("goal", ColumnType.text()),
            Column.of("result", ColumnType.text()),
            Column.of("feedback", ColumnType.text()),
            Column.of("tool_usage", ColumnType.jsonb()),
            Column.of("context_embedding", embedding()),
            Column.of("success", ColumnType.bool()).notNull(),
            Column.of("error_patterns", ColumnType.jsonb()),
            Column.of("learned_at", ColumnType.timestamptz()).notNull().withDefault("now()"),
            Column.of("reused_count", ColumnType.integer()).notNull().withDefault("0"))
        .withPrimaryKey(options.hostTable().idColumn())
        .withCheck(host.name() + "_type_check", MEMORY_TYPES);
  }

  /** The library's tables first, so that the host's busy table is locked last, for the least. */
  private Revision consolidation() {
    return Revision.of(CONSOLIDATION_001)
        .change(
            Change.create(consolidatedMemories()),
            Change.create(Index.btree("idx_cm_project", memories, "project_id")),
            Change.create(Index.btree("idx_cm_abstraction", memories, "abstraction_level")),
            Change.create(Index.btree("idx_cm_type", memories, "memory_type")),
            Change.create(Index.btree("idx_cm_pattern", memories, "pattern_type")),
            Change.create(Index.btree("idx_cm_created", memories, "consolidated_at")),
            Change.create(Index.gin("idx_cm_tags", memories, "tags")),
            Change.create(Index.gin("idx_cm_source_ids", memories, "source_memory_ids")),
            Change.create(embeddingIndex()),
            Change.create(Index.gin("idx_cm_content_tsv", memories, "content_tsv")))
        .change(
            Change.create(consolidationJobs()),
            Change.create(Index.btree("idx_cj_project_status", jobs, "project_id", "status")),
            Change.create(Index.btree("idx_cj_created", jobs, "created_at")),
            Change.create(Index.btree("idx_cj_trigger_type", jobs, "trigger_type")))
        .change(
            Change.add(
                host,
                Column.of("consolidated_into_id", ColumnType.varchar()),
                Column.of("is_consolidated", ColumnType.bool()).notNull().withDefault("false")),
            Change.create(
                Index.btree("idx_tm_consolidated", host, "is_consolidated")
                    .where("is_consolidated = true")),
            Change.create(
                Index.btree("idx_tm_consolidated_into", host, "consolidated_into_id")
                    .where("consolidated_into_id IS NOT NULL")));
  }

  /** Searches of one project; left out where an index entry would not hold so many dimensions. */
  private Revision searchIndexes() {
    Revision revision = Revision.of(CONSOLIDATION_002);
    if (SearchIndexes.keepsProjectsApart(options)) {
      revision =
          revision.change(
              Change.create(
                  Index.hnsw(SearchIndexes.BY_PROJECT, memories, "embedding", "halfvec_ip_ops")
                      .withKeys(
                          IndexKey.expression(SearchIndexes.coded(options, IndexKey.EXTENSION))
                              .withOperatorClass("halfvec_ip_ops"))
                      .with("m", 16)
                      .with("ef_construction", 256)
                      .where("embedding IS NOT NULL")));
    }
    if (SearchIndexes.coversEmbeddings(options)) {
      revision =
          revision.change(
              Change.create(
                  Index.btree(SearchIndexes.COVER, memories, "project_id", "memory_type")
                      .including("id", "embedding", "abstraction_level", "consolidated_at")
                      .where("embedding IS NOT NULL")));
    }
    return revision;
  }

  /** Lists: a project's memories and jobs by time, its unconsolidated task memories by id. */
  private Revision readingIndexes(boolean hostTableAdopted) {
    String[] byTime = {"project_id", "created_at", "id"};
    return Revision.of(CONSOLIDATION_003)
        .change(
            Change.create(Index.btree("idx_cm_project_created", memories, byTime)),
            Change.create(Index.btree("idx_cj_project_created", jobs, byTime)),
            Change.create(unconsolidated(hostTableAdopted)));
  }

  /**
   * Holds only what is still to be consolidated. Where the mapping's project is a column, one
   * project's are next to each other; any other expression may reach beyond the row, which no index
   * can. The default mapping says nothing about the columns of an adopted table.
   */
  private Index unconsolidated(boolean hostTableAdopted) {
    HostTable mapping = options.hostTable();
    boolean known = !(hostTableAdopted && mapping.equals(HostTable.created(options.schema())));
    IndexKey id = IndexKey.column(mapping.idColumn());
    Index index = Index.btree("idx_tm_unconsolidated", host, mapping.idColumn());
    String project = projectColumn(mapping);
    return (known && project != null
            ? index.withKeys(IndexKey.expression("(" + project + ")::text"), id)
            : index)
        .where("is_consolidated = false");
  }

  /** The mapping's project where that is a column, as it is written there; else null. */
  static @Nullable String projectColumn(HostTable mapping) {
    String project = mapping.project();
    return project != null && COLUMN.matcher(project).matches() ? project : null;
  }

  /**
   * Claims, backoff and heartbeats. No index has {@code heartbeat_at}, so that a heartbeat writes
   * to none (a HOT update).
   */
  private Revision jobs() {
    return Revision.of(CONSOLIDATION_004)
        .change(
            Change.add(
                jobs,
                Column.of("heartbeat_at", ColumnType.timestamptz()),
                Column.of("run_after", ColumnType.timestamptz())),
            Change.create(
                Index.btree("idx_cj_pending", jobs, "project_id")
                    .withKeys(
                        IndexKey.column("project_id"),
                        IndexKey.expression("COALESCE(run_after, created_at)"),
                        IndexKey.column("id"))
                    .where("status = 'pending'")),
            Change.create(
                Index.btree("idx_cj_running", jobs, "project_id").where("status = 'running'")));
  }

  /**
   * Keeps projects apart. The sub-select is evaluated once for each statement; without a setting,
   * and with the empty one that a session has after a transaction that set it, no row is there.
   */
  private Revision rowLevelSecurity() {
    Revision revision = Revision.of(CONSOLIDATION_005);
    for (QualifiedName table : List.of(memories, jobs)) {
      String condition =
          "project_id = (SELECT NULLIF(current_setting('%s', true), ''))"
              .formatted(SchemaOptions.PROJECT_SETTING);
      revision =
          revision.change(
              Change.create(new Policy("consolidation_project", table, condition)),
              Change.enableRowSecurity(table));
    }
    return revision;
  }

  private Table consolidatedMemories() {
    return Table.of(
            memories,
            Column.of("id", ColumnType.varchar()).notNull(),
            Column.of("project_id", ColumnType.varchar()).notNull(),
            Column.of("content", ColumnType.text()).notNull(),
            Column.of("memory_type", ColumnType.varchar(50)).notNull(),
            Column.of("abstraction_level", ColumnType.integer()).notNull(),
            Column.of("pattern_type", ColumnType.varchar(50)),
            Column.of("confidence_score", ColumnType.doublePrecision()),
            Column.of("source_memory_ids", ColumnType.varchar().array()).notNull(),
            Column.of("embedding", embedding()),
            Column.of("tags", ColumnType.varchar(50).array()),
            Column.of("consolidation_method", ColumnType.varchar(100)),
            Column.of("created_at", ColumnType.timestamptz()).notNull(),
            Column.of("updated_at", ColumnType.timestamptz()).notNull(),
            Column.of("consolidated_at", ColumnType.timestamptz()).notNull(),
            Column.of("source_count", ColumnType.integer()).notNull(),
            Column.of("reuse_count", ColumnType.integer()).notNull().withDefault("0"),
            Column.of("content_tsv", ColumnType.tsvector())
                .generatedAs("to_tsvector(" + configuration() + ", coalesce(content, ''))"))
        .withPrimaryKey("id")
        .withCheck("consolidated_memories_abstraction_check", "abstraction_level IN (1, 2, 3)")
        .withCheck("consolidated_memories_type_check", MEMORY_TYPES);
  }

  private Table consolidationJobs() {
    return Table.of(
            jobs,
            Column.of("id", ColumnType.varchar()).notNull(),
            Column.of("project_id", ColumnType.varchar()).notNull(),
            Column.of("status", ColumnType.varchar(50)).notNull(),
            Column.of("trigger_type", ColumnType.varchar(50)).notNull(),
            Column.of("scope", ColumnType.jsonb()).withDefault("'{}'"),
            Column.of("phases_completed", ColumnType.varchar().array()).withDefault("'{}'"),
            Column.of("metrics", ColumnType.jsonb()).withDefault("'{}'"),
            Column.of("started_at", ColumnType.timestamptz()),
            Column.of("completed_at", ColumnType.timestamptz()),
            Column.of("duration_seconds", ColumnType.integer()),
            Column.of("error_message", ColumnType.text()),
            Column.of("retry_count", ColumnType.integer()).notNull().withDefault("0"),
            Column.of("max_retries", ColumnType.integer()).notNull().withDefault("3"),
            Column.of("created_at", ColumnType.timestamptz()).notNull(),
            Column.of("triggered_by", ColumnType.varchar(255)))
        .withPrimaryKey("id")
        .withCheck(
            "consolidation_jobs_status_check",
            "status IN ('pending', 'running', 'completed', 'failed', 'cancelled')")
        .withCheck(
            "consolidation_jobs_trigger_check",
            "trigger_type IN ('scheduled', 'manual', 'threshold')");
  }

  private Index embeddingIndex() {
    HnswParameters hnsw = options.hnsw();
    Index index =
        Index.hnsw(
                SearchIndexes.AMONG_ALL,
                memories,
                "embedding",
                options.vectorType().typeName() + "_cosine_ops")
            .where("embedding IS NOT NULL");
    return hnsw.equals(HnswParameters.DEFAULT)
        ? index
        : index.with("m", hnsw.m()).with("ef_construction", hnsw.efConstruction());
  }

  private ColumnType embedding() {
    return options.vectorType() == VectorType.VECTOR
        ? ColumnType.vector(options.dimensions())
        : ColumnType.halfvec(options.dimensions());
  }

  /** A bare name is written as of {@code pg_catalog}, so that no search_path decides. */
  private String configuration() {
    String name = options.textSearchConfiguration();
    return Identifiers.literal(name.indexOf('.') < 0 ? "pg_catalog." + name : name);
  }
}
