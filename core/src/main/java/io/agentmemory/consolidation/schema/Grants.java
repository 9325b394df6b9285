package io.agentmemory.consolidation.schema;

import static io.agentmemory.consolidation.ddl.Identifiers.literal;
import static io.agentmemory.consolidation.ddl.Identifiers.quoted;

import io.agentmemory.consolidation.ddl.QualifiedName;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a role needs that reads and writes rows, and owns nothing. */
final class Grants {
  private Grants() {}

  /**
   * One privilege on one table.
   *
   * @param column the column, null for the whole table
   */
  record Grant(QualifiedName table, String privilege, @Nullable String column) {
    String sql(String role) {
      return "GRANT %s%s ON TABLE %s TO %s"
          .formatted(
              privilege,
              column == null ? "" : " (" + quoted(column) + ")",
              table.sql(),
              quoted(role));
    }
  }

  static List<Grant> of(SchemaOptions options) {
    List<Grant> grants = new ArrayList<>();
    grants.add(new Grant(new History(options).name(), "SELECT", null));
    for (String table : List.of("consolidated_memories", "consolidation_jobs")) {
      for (String privilege : List.of("SELECT", "INSERT", "UPDATE", "DELETE")) {
        grants.add(new Grant(new QualifiedName(options.schema(), table), privilege, null));
      }
    }
    QualifiedName host = options.hostTable().table();
    grants.add(new Grant(host, "SELECT", null));
    grants.add(new Grant(host, "UPDATE", "is_consolidated"));
    grants.add(new Grant(host, "UPDATE", "consolidated_into_id"));
    return grants;
  }

  /** The schemas of the tables. */
  static Set<String> schemas(SchemaOptions options) {
    Set<String> schemas = new LinkedHashSet<>();
    schemas.add(options.schema());
    schemas.add(options.hostTable().table().schema());
    return schemas;
  }

  static String usage(String schema, String role) {
    return "GRANT USAGE ON SCHEMA " + quoted(schema) + " TO " + quoted(role);
  }

  /** The policy that shows a role the jobs of all projects; not part of a revision. */
  static final String ALL_PROJECTS = "consolidation_all_projects";

  static String workerScript(SchemaOptions options, String role) {
    String script = script(options, role);
    if (!options.rowLevelSecurity()) {
      return script;
    }
    String jobs = new QualifiedName(options.schema(), "consolidation_jobs").sql();
    return script
        + """
        -- This role has the jobs of all projects.
        DROP POLICY IF EXISTS "%1$s" ON %2$s;
        CREATE POLICY "%1$s" ON %2$s TO %3$s
          USING (true) WITH CHECK (true);
        """
            .formatted(ALL_PROJECTS, jobs, quoted(role));
  }

  static String script(SchemaOptions options, String role) {
    StringBuilder script = new StringBuilder();
    script.append("-- What a role needs to read and write rows of the consolidation schema.\n");
    if (options.hostTable().project() != null) {
      script.append(
          "-- Other tables that the mapping of the host's table reads are the host's to grant.\n");
    }
    schemas(options).forEach(schema -> script.append(usage(schema, role)).append(";\n"));
    of(options).forEach(grant -> script.append(grant.sql(role)).append(";\n"));
    String lacking =
        """
        DO %s;
        """;
    String block =
        """

        DECLARE
          extension_schema name;
        BEGIN
          SELECT n.nspname INTO extension_schema
          FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
          WHERE e.extname = 'vector' AND NOT pg_catalog.has_schema_privilege(%s, n.oid, 'USAGE');
          IF FOUND THEN
            EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA %%I TO %%I', extension_schema, %s);
          END IF;
        END
        """
            .formatted(literal(role), literal(role));
    return script.append(lacking.formatted(literal(block))).toString();
  }
}
