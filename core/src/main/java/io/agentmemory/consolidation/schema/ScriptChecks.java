package io.agentmemory.consolidation.schema;

import static io.agentmemory.consolidation.ddl.Identifiers.literal;

import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.Hazard;
import io.agentmemory.consolidation.ddl.Identifiers;
import io.agentmemory.consolidation.ddl.QualifiedName;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Writes what a script checks before it changes anything. */
final class ScriptChecks {
  private final SchemaOptions options;
  private final ScriptContext context;
  private final long largeFrom;

  /**
   * Checks for a script.
   *
   * @param largeFrom the size in bytes from which a table counts as large
   */
  ScriptChecks(SchemaOptions options, ScriptContext context, long largeFrom) {
    this.options = options;
    this.context = context;
    this.largeFrom = largeFrom;
  }

  /** The last statement of a script: what {@link #of} set aside is put back. */
  static final String RESTORE_SETTINGS =
      "SELECT set_config('lock_timeout', current_setting('consolidation.lock_timeout'), true),\n"
          + "  set_config('search_path', current_setting('consolidation.search_path'), true)";

  /**
   * One block that takes the upgrade lock and fails where the database is not as assumed. The rest
   * of the transaction resolves bare names in {@code pg_catalog}, as {@code upgrade()} does, and
   * waits for no lock on a table longer than that does, unless the session has a limit of its own.
   *
   * @param deferred the indexes that are left to be made after the transaction
   */
  String of(Plan plan, Snapshot assumed, Set<QualifiedName> deferred) {
    List<String> statements = new ArrayList<>();
    statements.add(
        """
          PERFORM pg_catalog.set_config(
            'consolidation.search_path', pg_catalog.current_setting('search_path'), true);
          PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        """);
    statements.add(
        "  PERFORM pg_advisory_xact_lock("
            + UpgradeLock.ofUpgrades(options.schema()).key()
            + ");\n");
    statements.add(
        """
          PERFORM set_config(
            'consolidation.lock_timeout', current_setting('lock_timeout'), true);
          IF current_setting('lock_timeout') = '0' THEN
            PERFORM set_config('lock_timeout', '%dms', true);
          END IF;
        """
            .formatted(Waiting.DEFAULT.lockTimeout().toMillis()));
    statements.add(history(assumed));
    if (plan.direction() == Plan.Direction.UP) {
      statements.add(extension());
    }
    if (plan.direction() == Plan.Direction.UP
        && plan.has(OwnRevisions.TASK_MEMORIES_001)
        && context.hostTableAdopted()) {
      statements.add(
          found(
              "SELECT * INTO obstacle FROM (\n"
                  + HostCheck.problem(options.hostTable())
                  + ") AS problem(text)",
              HostCheck.refusal(options.hostTable())));
    }
    deferred.stream()
        .sorted(Comparator.comparing(QualifiedName::sql))
        .forEach(
            index ->
                statements.add(
                    ScriptWriter.failIf(Upgrader.taken(index), Upgrader.takenMessage(index))));
    statements.addAll(large(plan, deferred));
    Guard guard = new Guard(plan, context.allowed());
    guard.preparation().forEach(sql -> statements.add("  " + sql + ";\n"));
    guard
        .foreignObjects()
        .ifPresent(
            sql ->
                statements.add(
                    found(
                        "SELECT string_agg(object, ', ') INTO obstacle FROM (\n"
                            + sql
                            + ") AS objects(object)",
                        Guard.FOREIGN + ": ")));
    Optional<String> hidden = guard.hidden();
    hidden.ifPresent(
        sql -> statements.add("  hidden := ARRAY(" + sql + ");\n" + alterHidden(Guard.SHOW)));
    guard
        .dataConditions()
        .forEach(
            (condition, reason) ->
                statements.add(ScriptWriter.failIf(condition, Guard.DATA + ": " + reason)));
    hidden.ifPresent(sql -> statements.add(alterHidden(Guard.HIDE)));
    return ScriptWriter.block(statements);
  }

  private static String alterHidden(String how) {
    return """
          FOR i IN 1 .. cardinality(hidden) LOOP
            EXECUTE 'ALTER TABLE ' || hidden[i] || '%s';
          END LOOP;
        """
        .formatted(how);
  }

  /** Fails where others would wait for long while a large table is read, or written anew. */
  private List<String> large(Plan plan, Set<QualifiedName> deferred) {
    Set<QualifiedName> made = new HashSet<>();
    Set<String> checks = new LinkedHashSet<>();
    for (Change change : plan.changes()) {
      if (change instanceof Change.CreateTable) {
        made.add(change.target());
      }
      boolean later =
          change instanceof Change.CreateIndex create
              && deferred.contains(create.index().qualifiedName());
      Hazard hazard = Meanings.hazardOfSize(change);
      if (hazard != null
          && !later
          && !made.contains(change.target())
          && !context.allowed().contains(hazard)) {
        checks.add(
            ScriptWriter.failIf(
                "(%s) >= %d".formatted(TableSize.query(change.target()), largeFrom),
                """
                Refused: others would wait for long, because the table %s is large and this script \
                reads or writes all of it. Run Schema.upgrade() or the script of Schema.plan(), which \
                build indexes online, or allow it by Hazard.%s\
                """
                    .formatted(change.target(), hazard)));
      }
    }
    return List.copyOf(checks);
  }

  private String history(Snapshot assumed) {
    String table = new History(options).name().sql();
    String missing = "to_regclass(" + literal(table) + ") IS NULL";
    if (!assumed.historyExists()) {
      return ScriptWriter.failIf(
          "NOT (" + missing + ")",
          "The schema "
              + options.schema()
              + " has been upgraded already: this script starts from"
              + " nothing");
    }
    String revisions =
        assumed.applied().stream().map(Applied::revision).collect(Collectors.joining(","));
    String applied = "SELECT string_agg(revision, ',' ORDER BY position) FROM " + table;
    String otherOptions =
        "EXISTS (SELECT FROM "
            + table
            + " WHERE options <> "
            + literal(options.recorded().toJson())
            + ")";
    String created =
        assumed.applied().get(0).created().stream().collect(Collectors.joining(",", "{", "}"));
    String otherwise =
        "EXISTS (SELECT FROM "
            + table
            + " WHERE position = 1 AND created <> "
            + literal(created)
            + ")";
    return ScriptWriter.failIf(missing, "The schema " + options.schema() + " has not been upgraded")
        + ScriptWriter.failIf(
            "(" + applied + ") IS DISTINCT FROM " + literal(revisions),
            "The history in "
                + options.schema()
                + " holds other revisions than this script starts from: "
                + revisions)
        + ScriptWriter.failIf(
            otherOptions,
            "The schema " + options.schema() + " was upgraded with other options: " + options)
        + ScriptWriter.failIf(
            otherwise,
            "The history records that the first upgrade created other things than " + created);
  }

  private String extension() {
    String at =
        "EXISTS (SELECT FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
            + " WHERE e.extname = 'vector' AND n.nspname = "
            + literal(context.extensionSchema())
            + " AND string_to_array(substring(e.extversion FROM '^[0-9.]+'), '.')::integer[]"
            + " >= '{"
            + Extension.MINIMUM.replace('.', ',')
            + "}')";
    return ScriptWriter.failIf(
        "NOT " + at,
        "The extension vector, "
            + Extension.MINIMUM
            + " or newer, must stand in the schema "
            + Identifiers.quoted(context.extensionSchema()));
  }

  private static String found(String query, String message) {
    return "  "
        + query
        + ";\n  IF obstacle IS NOT NULL THEN\n    RAISE EXCEPTION USING MESSAGE = "
        + literal(message)
        + " || obstacle;\n  END IF;\n";
  }
}
