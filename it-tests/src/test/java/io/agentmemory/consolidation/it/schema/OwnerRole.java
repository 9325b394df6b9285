package io.agentmemory.consolidation.it.schema;

import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A role that may make tables in a database and then owns them, as an application's does: no
 * superuser, and not exempt from policies. What it owns goes with it.
 */
final class OwnerRole implements AutoCloseable {
  private final EmptyDatabase database;
  private final String name;

  OwnerRole(EmptyDatabase database) {
    this.database = database;
    this.name = database.name() + "_owner";
    Sql.run(
        database.dataSource(),
        """
        CREATE EXTENSION IF NOT EXISTS vector;
        CREATE ROLE %1$s LOGIN PASSWORD 'secret';
        GRANT CREATE, TEMPORARY ON DATABASE %2$s TO %1$s;
        GRANT CREATE ON SCHEMA public TO %1$s;
        """
            .formatted(name, database.name()));
  }

  DataSource dataSource() {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setUrl(database.jdbcUrl());
    source.setUser(name);
    source.setPassword("secret");
    return source;
  }

  @Override
  public void close() {
    Sql.run(database.dataSource(), "DROP OWNED BY %1$s CASCADE; DROP ROLE %1$s".formatted(name));
  }
}
