package io.agentmemory.consolidation.schema;

import static io.agentmemory.consolidation.ddl.Identifiers.literal;

import io.agentmemory.consolidation.ddl.Identifiers;
import io.agentmemory.consolidation.ddl.QualifiedName;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Writes a plan as a script: the same statements, behind checks that the server makes itself. */
final class ScriptWriter {
  private final SchemaOptions options;
  private final ScriptContext context;
  private final long largeFrom;
  private final Planner planner;

  /**
   * Writes scripts for a database.
   *
   * @param largeFrom the size in bytes from which a table counts as large
   */
  ScriptWriter(SchemaOptions options, ScriptContext context, long largeFrom) {
    this.options = options;
    this.context = context;
    this.largeFrom = largeFrom;
    this.planner = new Planner(options, context.changelogs());
  }

  String upgrade() {
    Snapshot assumed = context.from() == null ? assumed(List.of()) : assumed(upTo(context.from()));
    return write("Upgrade", assumed, planner.up(assumed, context.to()));
  }

  String downgrade() {
    Snapshot assumed = assumed(upTo(context.from()));
    String to = context.to();
    Plan plan = to == null ? planner.downToNothing(assumed) : planner.downTo(assumed, to);
    return write("Downgrade", assumed, plan);
  }

  /** The rows that the history has once everything up to a revision, or all of it, is applied. */
  private List<Applied> upTo(@Nullable String revision) {
    List<Applied> rows = new ArrayList<>();
    for (Map.Entry<String, List<Revision>> stream :
        planner.streams(context.hostTableAdopted()).entrySet()) {
      for (Revision each : stream.getValue()) {
        rows.add(row(stream.getKey(), rows.size() + 1, each));
        if (each.id().equals(revision)) {
          return rows;
        }
      }
    }
    if (revision != null) {
      throw new IllegalArgumentException(
          "No revision "
              + revision
              + "; there are "
              + rows.stream().map(Applied::revision).toList());
    }
    return rows;
  }

  private Applied row(String stream, int position, Revision revision) {
    List<String> created = new ArrayList<>();
    if (revision.id().equals(OwnRevisions.TASK_MEMORIES_001)) {
      if (context.schemaCreated()) {
        created.add(History.CREATED_SCHEMA);
      }
      if (!context.hostTableAdopted()) {
        created.add(History.CREATED_HOST_TABLE);
      }
    }
    return new Applied(
        stream,
        position,
        revision.id(),
        revision.requires(),
        revision.checksum(),
        OptionsJson.object(Json.read(options.recorded().toJson())),
        revision.additive(),
        created,
        List.of(),
        Instant.EPOCH,
        "");
  }

  private Snapshot assumed(List<Applied> rows) {
    return new Snapshot(
        0,
        new Extension(context.extensionSchema(), Extension.MINIMUM),
        !rows.isEmpty() || !context.schemaCreated(),
        context.hostTableAdopted(),
        !rows.isEmpty(),
        rows);
  }

  private String write(String title, Snapshot assumed, Plan plan) {
    StringBuilder script = new StringBuilder();
    script
        .append("-- ")
        .append(title)
        .append(" of the consolidation schema: ")
        .append(plan.isEmpty() ? "nothing to do" : String.join(", ", plan.revisions()))
        .append(
            """
            .
            -- Run it in one transaction, which this script neither begins nor commits:
            --   psql --single-transaction --set ON_ERROR_STOP=1 --file=SCRIPT
            -- or as a migration of a tool that opens one.
            """);
    if (plan.isEmpty()) {
      return script.toString();
    }
    List<Statements.Planned> statements =
        new Statements(options, context.extensionSchema()).of(plan);
    return script.append(transaction(assumed, plan, statements, Set.of())).toString();
  }

  /**
   * What a plan for a database as it stands comes to: the transaction, and what runs after it.
   *
   * @param after the statements that run outside of transactions
   * @param deferred the indexes of the plan that these make
   */
  String script(
      Snapshot now,
      Plan plan,
      List<Statements.Planned> inTransaction,
      List<Statements.Planned> after,
      Set<QualifiedName> deferred) {
    if (plan.isEmpty() && after.isEmpty()) {
      return "-- Nothing to do.\n";
    }
    StringBuilder script = new StringBuilder();
    script.append(
        """
        -- %s of the consolidation schema. Run it by
        --   psql --no-psqlrc --file=SCRIPT
        -- It begins and commits its transaction itself. Where a lock is not to be had in time it
        -- stops; plan again then.
        \\set ON_ERROR_STOP on
        """
            .formatted(plan.direction() == Plan.Direction.UP ? "Upgrade" : "Downgrade"));
    if (!plan.isEmpty()) {
      script.append("\nBEGIN ISOLATION LEVEL READ COMMITTED;\nSET LOCAL lock_timeout = '2s';\n");
      script.append(transaction(now, plan, inTransaction, deferred)).append("\nCOMMIT;\n");
    }
    if (!after.isEmpty()) {
      script.append("\n-- online, one at a time\nSET search_path = pg_catalog, pg_temp;\n");
      script.append("SET lock_timeout = 0;\nSET statement_timeout = 0;\n").append(buildsLock());
      after.forEach(each -> script.append('\n').append(each.statement().sql()).append(";\n"));
    }
    return script.toString();
  }

  private String buildsLock() {
    String taken = "NOT pg_try_advisory_lock(" + UpgradeLock.ofBuilds(options.schema()).key() + ")";
    return block(List.of(failIf(taken, "Somebody else is building the indexes"))) + ";\n";
  }

  private String transaction(
      Snapshot assumed,
      Plan plan,
      List<Statements.Planned> statements,
      Set<QualifiedName> deferred) {
    StringBuilder script = new StringBuilder();
    if (plan.direction() == Plan.Direction.UP && !assumed.historyExists()) {
      script
          .append("\nCREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA ")
          .append(Identifiers.quoted(context.extensionSchema()))
          .append(";\n");
    }
    script
        .append('\n')
        .append(new ScriptChecks(options, context, largeFrom).of(plan, assumed, deferred))
        .append(";\n");
    String revision = "";
    for (Statements.Planned planned : statements) {
      if (planned.revision() != null && !planned.revision().equals(revision)) {
        revision = planned.revision();
        script.append("\n-- ").append(revision).append('\n');
      }
      script.append('\n').append(planned.statement().sql()).append(";\n");
    }
    if (plan.dropsSchema()) {
      script.append("\nDROP SCHEMA ").append(Identifiers.quoted(options.schema())).append(";\n");
    }
    return script.append('\n').append(ScriptChecks.RESTORE_SETTINGS).append(";\n").toString();
  }

  /** A statement that fails, with this message, where a condition holds. */
  static String failIf(String condition, String message) {
    return "  IF "
        + condition
        + " THEN\n    RAISE EXCEPTION USING MESSAGE = "
        + literal(message)
        + ";\n  END IF;\n";
  }

  /** Wraps statements of PL/pgSQL in a block, quoted by a tag that they do not hold. */
  static String block(List<String> statements) {
    String body = statements.stream().collect(Collectors.joining());
    String tag = "$consolidation";
    while (body.contains(tag)) {
      tag += "_";
    }
    return "DO "
        + tag
        + "$\n#variable_conflict use_column\nDECLARE\n  obstacle pg_catalog.text;\n"
        + "  hidden pg_catalog.text[];\nBEGIN\n"
        + body
        + "END "
        + tag
        + "$";
  }
}
