package io.agentmemory.consolidation.schema;

import static io.agentmemory.consolidation.ddl.Identifiers.literal;
import static io.agentmemory.consolidation.ddl.Identifiers.quoted;

import io.agentmemory.consolidation.ddl.QualifiedName;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Looks at what the data access objects depend on, for the role that is connected. */
final class CheckUp {
  private static final int OLDEST_SERVER = 150_000;

  private static final String EXTENSION =
      """
      SELECT n.nspname, e.extversion, has_schema_privilege(n.oid, 'USAGE'),
        a.default_version, current_setting('server_version_num'), current_user
      FROM (SELECT 1) AS one
      LEFT JOIN pg_extension e ON e.extname = 'vector'
      LEFT JOIN pg_namespace n ON n.oid = e.extnamespace
      LEFT JOIN pg_available_extensions a ON a.name = 'vector'
      """;

  private static final String SCHEMAS =
      """
      SELECT v.name, n.oid IS NOT NULL, has_schema_privilege(n.oid, 'USAGE')
      FROM (VALUES %s) AS v(name) LEFT JOIN pg_namespace n ON n.nspname = v.name
      """;

  private static final String TABLES =
      """
      SELECT c.oid IS NOT NULL, CASE WHEN v.column_name IS NULL
        THEN has_table_privilege(c.oid, v.privilege)
        ELSE has_column_privilege(c.oid, (SELECT a.attnum FROM pg_attribute a
          WHERE a.attrelid = c.oid AND a.attname = v.column_name), v.privilege) END
      FROM (VALUES %s) AS v(position, nspname, relname, privilege, column_name)
      LEFT JOIN pg_namespace n ON n.nspname = v.nspname
      LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = v.relname
      ORDER BY v.position
      """;

  /** The schemas in the search_path that sessions begin with in which every role may create. */
  private static final String OPEN_TO_ALL =
      """
      SELECT n.oid::regnamespace::text FROM pg_settings s
      CROSS JOIN unnest(string_to_array(s.reset_val, ',')) AS part
      JOIN pg_namespace n ON n.nspname = CASE trim(BOTH ' "' FROM part)
        WHEN '$user' THEN current_user ELSE trim(BOTH ' "' FROM part) END
      WHERE s.name = 'search_path' AND has_schema_privilege('public', n.oid, 'CREATE')
      ORDER BY n.nspname
      """;

  /** The tables whose policies do not hold for the role. */
  private static final String EXEMPT =
      """
      SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = %s AND c.relname IN ('consolidated_memories', 'consolidation_jobs')
        AND c.relrowsecurity AND NOT row_security_active(c.oid)
      ORDER BY c.relname
      """;

  private static final String TEMPORARY =
      "SELECT current_database(), has_database_privilege(current_database(), 'TEMPORARY')";

  private final Session session;
  private final SchemaOptions options;
  private final List<Finding> findings = new ArrayList<>();
  private String role = "";

  CheckUp(Session session, SchemaOptions options) {
    this.session = session;
    this.options = options;
  }

  /** The findings, the gravest first. */
  List<Finding> findings() {
    extension();
    path();
    if (schemas() && tables()) {
      if (options.rowLevelSecurity()) {
        policies();
      }
      findings.addAll(new StorageCheckUp(session, options).findings());
    }
    findings.addAll(SettingsCheckUp.findings(session));
    findings.sort((a, b) -> a.severity().compareTo(b.severity()));
    return List.copyOf(findings);
  }

  private void extension() {
    List<@Nullable String> row = session.row("look at the extension vector", EXTENSION);
    String schema = row.get(0);
    String version = row.get(1);
    String available = row.get(3);
    role = String.valueOf(row.get(5));
    if (Integer.parseInt(String.valueOf(row.get(4))) < OLDEST_SERVER) {
      findings.add(
          Finding.warning(
              "The server is older than PostgreSQL 15, which this library is tested with",
              "Upgrade the server"));
    }
    if (schema == null || version == null) {
      findings.add(
          available == null
              ? Finding.error(
                  "The server has no pgvector",
                  "Install pgvector " + Extension.SOUND + " or newer on the server's machine")
              : Finding.error(
                  "The extension vector is not installed in this database",
                  "CREATE EXTENSION vector WITH SCHEMA public (as a superuser)"));
      return;
    }
    if (!"t".equals(row.get(2))) {
      findings.add(
          Finding.error(
              "The role " + role + " may not use the extension's schema " + schema,
              Grants.usage(schema, role)));
    }
    Extension extension = new Extension(schema, version);
    if (extension.isBelow(Extension.MINIMUM)) {
      findings.add(
          Finding.error(
              "pgvector " + version + " is older than this library needs",
              update(available, Extension.MINIMUM)));
    } else if (extension.isBelow(Extension.SOUND)) {
      findings.add(
          Finding.warning(
              "pgvector "
                  + version
                  + " has known faults: HNSW indexes can be corrupted, parallel builds can fail",
              update(available, Extension.SOUND) + ", then REINDEX the HNSW indexes"));
    } else if (available != null && extension.isBelow(available)) {
      findings.add(
          Finding.note(
              "pgvector " + version + " is installed, the server has " + available,
              "ALTER EXTENSION vector UPDATE"));
    }
  }

  private static String update(@Nullable String available, String wanted) {
    boolean there = available != null && !Extension.isBelow(available, wanted);
    return (there ? "" : "Install pgvector " + wanted + " or newer on the server's machine, then ")
        + "ALTER EXTENSION vector UPDATE";
  }

  private void path() {
    for (List<@Nullable String> row : session.rows("look at the search_path", OPEN_TO_ALL)) {
      findings.add(
          Finding.warning(
              "The search_path holds the schema "
                  + row.get(0)
                  + ", in which every role may create: an operator or function made there can be"
                  + " taken for PostgreSQL's own and then runs with the rights of "
                  + role,
              "REVOKE CREATE ON SCHEMA " + row.get(0) + " FROM PUBLIC"));
    }
  }

  private boolean schemas() {
    String names =
        Grants.schemas(options).stream()
            .map(name -> "(" + literal(name) + "::name)")
            .collect(Collectors.joining(", "));
    boolean usable = true;
    for (List<@Nullable String> row :
        session.rows("look at the schemas", SCHEMAS.formatted(names))) {
      String name = String.valueOf(row.get(0));
      if (!"t".equals(row.get(1))) {
        findings.add(missing("schema " + quoted(name)));
        usable = false;
      } else if (!"t".equals(row.get(2))) {
        findings.add(
            Finding.error(
                "The role " + role + " may not use the schema " + quoted(name),
                Grants.usage(name, role)));
        usable = false;
      }
    }
    return usable;
  }

  /** Whether all tables are there, whatever the role may do with them. */
  private boolean tables() {
    List<Grants.Grant> grants = Grants.of(options);
    List<String> values = new ArrayList<>();
    for (Grants.Grant grant : grants) {
      values.add(
          "(%d, %s::name, %s::name, %s, %s::name)"
              .formatted(
                  values.size(),
                  literal(grant.table().schema()),
                  literal(grant.table().name()),
                  literal(grant.privilege()),
                  grant.column() == null ? "NULL" : literal(grant.column())));
    }
    List<List<@Nullable String>> rows =
        session.rows("look at the privileges", TABLES.formatted(String.join(", ", values)));
    boolean there = true;
    for (int i = 0; i < rows.size(); i++) {
      Grants.Grant grant = grants.get(i);
      String subject =
          (grant.column() == null ? "" : "column " + quoted(grant.column()) + " of ")
              + "table "
              + grant.table().sql();
      if (!"t".equals(rows.get(i).get(0)) || rows.get(i).get(1) == null) {
        Finding missing = missing(subject);
        if (!findings.contains(missing)) {
          findings.add(missing);
        }
        there = false;
      } else if (!"t".equals(rows.get(i).get(1))) {
        findings.add(
            Finding.error(
                "The role " + role + " lacks " + grant.privilege() + " on " + subject,
                grant.sql(role)));
      }
    }
    return there;
  }

  private void policies() {
    for (List<@Nullable String> row :
        session.rows("look at the policies", EXEMPT.formatted(literal(options.schema())))) {
      findings.add(
          Finding.error(
              "The role "
                  + role
                  + " is exempt from row-level security, as a superuser or by BYPASSRLS: it has the"
                  + " rows of all projects in "
                  + new QualifiedName(options.schema(), String.valueOf(row.get(0))).sql(),
              "Connect as a role of Schema.grantsScript(options, role)"));
    }
    List<@Nullable String> temporary = session.row("look at the privileges", TEMPORARY);
    if (!"t".equals(temporary.get(1))) {
      String database = quoted(String.valueOf(temporary.get(0)));
      findings.add(
          Finding.error(
              "The role "
                  + role
                  + " lacks TEMPORARY on the database "
                  + database
                  + ", without which it cannot load under row-level security",
              "GRANT TEMPORARY ON DATABASE " + database + " TO " + quoted(role)));
    }
  }

  private static Finding missing(String what) {
    return Finding.error(
        "The " + what + " is not there", "Run Schema.on(dataSource, options).upgrade()");
  }
}
