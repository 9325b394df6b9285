package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.SqlStatement;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sees to it that pgvector is there, and good enough. */
final class ExtensionCheck {
  private static final Logger LOG = LoggerFactory.getLogger(ExtensionCheck.class);

  private static final String CREATE = "CREATE EXTENSION vector WITH SCHEMA public";

  private static final Set<String> EXISTS_BY_NOW = Set.of("23505", "42710");
  private static final String INSUFFICIENT_PRIVILEGE = "42501";

  private ExtensionCheck() {}

  static SqlStatement creation() {
    return new SqlStatement("create the extension vector", CREATE);
  }

  /** The extension as it is, created where it is missing. */
  static Extension ensure(Session session, Snapshot now, List<String> notes) {
    Extension extension = now.extension();
    if (extension == null) {
      extension = create(session);
      notes.add(
          "Created the extension vector "
              + extension.version()
              + " in schema public; a downgrade leaves it there");
    }
    if (extension.isBelow(Extension.MINIMUM)) {
      throw tooOld(extension.version(), "installed in this database");
    }
    return extension;
  }

  private static Extension create(Session session) {
    String available =
        session.value(
            "look for pgvector on the server",
            "SELECT default_version FROM pg_available_extensions WHERE name = 'vector'");
    if (available == null) {
      throw new SchemaException(
          "The server has no pgvector. Install pgvector "
              + Extension.MINIMUM
              + " or newer on its machine (Debian and Ubuntu: the package"
              + " postgresql-<version>-pgvector), then, in this database: "
              + CREATE);
    }
    if (Extension.isBelow(available, Extension.MINIMUM)) {
      throw tooOld(available, "on the server");
    }
    try {
      session.execute("create the extension vector", CREATE);
    } catch (SchemaSqlException e) {
      if (INSUFFICIENT_PRIVILEGE.equals(e.sqlState())) {
        throw new SchemaException(
            "The extension vector is missing, and this role may not create it (SQLSTATE 42501)."
                + " Have a superuser run, in this database: "
                + CREATE,
            e);
      }
      throw e;
    }
    return new Extension("public", available);
  }

  /** Whether somebody else created the extension meanwhile, for another schema of the database. */
  static boolean raced(SchemaSqlException e) {
    String sqlState = e.sqlState() == null ? "" : e.sqlState();
    return e.statement().equals(CREATE) && EXISTS_BY_NOW.contains(sqlState);
  }

  private static SchemaException tooOld(String version, String where) {
    return new SchemaException(
        "pgvector "
            + version
            + " is "
            + where
            + ", this library needs "
            + Extension.MINIMUM
            + " or newer. Install a newer one on the server's machine, then have the owner of the"
            + " extension run, in this database: ALTER EXTENSION vector UPDATE");
  }

  /** What should be seen to; logged, too. */
  static List<String> warnings(@Nullable Extension extension) {
    if (extension == null || !extension.isBelow(Extension.SOUND)) {
      return List.of();
    }
    String warning =
        "pgvector "
            + extension.version()
            + " has known faults (HNSW indexes can be corrupted, parallel builds can fail), mended"
            + " up to "
            + Extension.SOUND
            + ": install that or newer on the server's machine, then run ALTER EXTENSION vector"
            + " UPDATE and reindex";
    LOG.atWarn().addKeyValue("version", extension.version()).log("{}", warning);
    return List.of(warning);
  }
}
