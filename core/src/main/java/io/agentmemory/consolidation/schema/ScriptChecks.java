package io.agentmemory.consolidation.schema;

import static io.agentmemory.consolidation.ddl.Identifiers.literal;

import io.agentmemory.consolidation.ddl.Identifiers;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Writes what a script checks before it changes anything. */
final class ScriptChecks {
  private final SchemaOptions options;
  private final ScriptContext context;

  ScriptChecks(SchemaOptions options, ScriptContext context) {
    this.options = options;
    this.context = context;
  }

  /** The last statement of a script: what {@link #of} set aside is put back. */
  static final String RESTORE_SEARCH_PATH =
      "SELECT set_config('search_path', current_setting('consolidation.search_path'), true)";

  /**
   * One block that takes the upgrade lock and fails where the database is not as assumed. The rest
   * of the transaction resolves bare names in {@code pg_catalog}, as {@code upgrade()} does.
   */
  String of(Plan plan, Snapshot assumed) {
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
    guard
        .dataConditions()
        .forEach(
            (condition, reason) ->
                statements.add(ScriptWriter.failIf(condition, Guard.DATA + ": " + reason)));
    return ScriptWriter.block(statements);
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
