package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Identifiers;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A session's settings, changed for statements that run outside of transactions, and put back. */
final class SessionSettings implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SessionSettings.class);

  /**
   * A build waits for every transaction that might see the table, and a session for what is loaded
   * meanwhile, so no timeout may end them. What a build may set is put back too. The server leaves
   * out what its version does not know.
   */
  private static final String SET =
      """
      SELECT s.name, s.setting, pg_catalog.set_config(s.name, v.setting, false)
      FROM pg_catalog.pg_settings s, (VALUES
        ('search_path', 'pg_catalog, pg_temp'), ('lock_timeout', '0'), ('statement_timeout', '0'),
        ('transaction_timeout', '0'), ('idle_session_timeout', '0'),
        ('default_transaction_read_only', 'off'),
        ('maintenance_work_mem', pg_catalog.current_setting('maintenance_work_mem')),
        ('max_parallel_maintenance_workers',
          pg_catalog.current_setting('max_parallel_maintenance_workers'))) AS v(name, setting)
      WHERE s.name OPERATOR(pg_catalog.=) v.name
      """;

  /** Has the server notice that its client is gone; not every platform can. */
  private static final String CHECK_CLIENT = "SET client_connection_check_interval = '5s'";

  private final Session session;
  private final List<List<@Nullable String>> before = new ArrayList<>();

  private SessionSettings(Session session) {
    this.session = session;
  }

  static SessionSettings forBuilds(Session session) {
    SessionSettings settings = new SessionSettings(session);
    settings.before.addAll(
        session.rows(
            "see how often the server looks for its client",
            "SELECT 'client_connection_check_interval',"
                + " pg_catalog.current_setting('client_connection_check_interval')"));
    settings.before.addAll(session.rows("set the session's settings", SET));
    try {
      session.execute("have the server look for its client", CHECK_CLIENT);
    } catch (SchemaSqlException e) {
      LOG.debug("A build goes on at the server when its client is killed", e);
    }
    return settings;
  }

  Session session() {
    return session;
  }

  /** Where the connection is lost, there is nothing to put back. */
  @Override
  public void close() {
    String sql =
        before.stream()
            .map(
                row ->
                    "pg_catalog.set_config('"
                        + row.get(0)
                        + "', "
                        + Identifiers.literal(String.valueOf(row.get(1)))
                        + ", false)")
            .collect(Collectors.joining(", ", "SELECT ", ""));
    try {
      session.row("put the session's settings back", sql);
    } catch (SchemaSqlException e) {
      LOG.debug("The session's settings were not put back", e);
    }
  }
}
