package io.agentmemory.consolidation.it.postgres;

import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/** A database that starts empty and is dropped on close, whoever is still connected to it. */
public final class ScratchDatabase implements AutoCloseable {
  private final PostgresServer server;
  private final String name;
  private final PGSimpleDataSource dataSource;

  ScratchDatabase(PostgresServer server, String name, PGSimpleDataSource dataSource) {
    this.server = server;
    this.name = name;
    this.dataSource = dataSource;
  }

  /** The server that holds it. */
  public PostgresServer server() {
    return server;
  }

  public String name() {
    return name;
  }

  /** Its URL, without user and password. */
  public String jdbcUrl() {
    return dataSource.getUrl();
  }

  /** Gives the superuser a new connection for each call. */
  public DataSource dataSource() {
    return dataSource;
  }

  /** See {@link PostgresServer#dumpSchema}. */
  public String dumpSchema(String... arguments) {
    return server.dumpSchema(name, arguments);
  }

  @Override
  public void close() {
    server.drop(name);
  }
}
