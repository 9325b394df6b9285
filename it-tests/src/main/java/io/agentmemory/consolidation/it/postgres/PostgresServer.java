package io.agentmemory.consolidation.it.postgres;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.module.ModuleDescriptor.Version;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.postgresql.ds.PGSimpleDataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A PostgreSQL server with pgvector, wherever one can be had: at a given JDBC URL, in a container,
 * or as a throw-away cluster from binaries of this machine, in this order.
 *
 * <p>System properties, and environment variables in brackets, say more: {@code
 * consolidation.jdbcUrl} [{@code CONSOLIDATION_JDBC_URL}], {@code consolidation.user} [{@code
 * CONSOLIDATION_USER}] and {@code consolidation.password} [{@code CONSOLIDATION_PASSWORD}] give a
 * server, and then no other is looked for; {@code consolidation.image} [{@code
 * CONSOLIDATION_IMAGE}] names the image of the container, {@code pgvector/pgvector:pg17} unless
 * given; {@code consolidation.postgres.bin} [{@code CONSOLIDATION_POSTGRES_BIN}] gives the folder
 * of the binaries; {@code consolidation.postgres.settings} [{@code
 * CONSOLIDATION_POSTGRES_SETTINGS}] adds settings, such as {@code shared_buffers=1GB;jit=off}, to a
 * server that is started; {@code consolidation.server} [{@code CONSOLIDATION_SERVER}], one of
 * {@code url}, {@code docker}, {@code binaries}, allows one way only.
 *
 * <p>Safe for use by many threads.
 */
public final class PostgresServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PostgresServer.class);
  private static final String OLDEST_PGVECTOR = "0.8.0";

  /** Leaves room for the random part of a database's name in the 63 bytes that PostgreSQL takes. */
  private static final int LONGEST_PREFIX = 50;

  private final Backend backend;
  private final String description;

  /** What makes the server's {@code pg_dump} write equal schemas alike; empty until it is asked. */
  private volatile List<String> dumpOptions = List.of();

  private PostgresServer(Backend backend, String description) {
    this.backend = backend;
    this.description = description;
  }

  /**
   * Finds or starts a server.
   *
   * @param listener told in a sentence what is tried, and why a way led nowhere
   * @return the server, to be closed by the caller; one that was started here also ends with this
   *     JVM
   * @throws IllegalStateException if there is none; the message names what is needed, and what each
   *     way lacked
   */
  public static PostgresServer find(Consumer<String> listener) {
    Optional<Way> only = Way.only();
    Map<Way, String> reasons = new EnumMap<>(Way.class);
    for (Way way : Way.values()) {
      if (only.isPresent() && only.get() != way) {
        reasons.put(way, "not tried, as the settings ask for another");
        continue;
      }
      try {
        PostgresServer server = checked(way.open(listener));
        listener.accept("using " + server.describe());
        return server;
      } catch (Unavailable e) {
        String reason = String.valueOf(e.getMessage());
        LOG.debug("no server: {}", way.need(), e);
        if (way != Way.URL) {
          listener.accept("not used: " + way.need() + ": " + reason);
        }
        reasons.put(way, reason);
      }
    }
    throw new IllegalStateException(
        """
        No PostgreSQL with pgvector %s or newer was found. It takes one of these:
        %s
        On Debian and Ubuntu, as root, it-tests/with-postgres COMMAND installs what it takes."""
            .formatted(
                OLDEST_PGVECTOR,
                Stream.of(Way.values())
                    .map(way -> "  - " + way.need() + ": " + reasons.get(way))
                    .collect(Collectors.joining("\n"))));
  }

  /** The server that all tests of this JVM share; it ends with the JVM. */
  public static PostgresServer shared() {
    return Shared.SERVER.join();
  }

  /**
   * Starts a throw-away cluster whose processes cannot share more memory than so much, as in a
   * container.
   *
   * @return the server, to be closed by the caller; empty where that cannot be had, which takes
   *     Linux, root and binaries of this machine
   */
  public static Optional<PostgresServer> withSharedMemory(
      int megabytes, Consumer<String> listener) {
    try {
      return Optional.of(checked(ThrowAwayCluster.withSharedMemory(megabytes, listener)));
    } catch (Unavailable e) {
      listener.accept(String.valueOf(e.getMessage()));
      return Optional.empty();
    }
  }

  private static PostgresServer checked(Backend backend) throws Unavailable {
    try {
      return new PostgresServer(backend, description(backend));
    } catch (Unavailable e) {
      backend.close();
      throw e;
    }
  }

  /**
   * What the server is.
   *
   * @throws Unavailable if it does not answer, or is not what the tests need
   */
  private static String description(Backend backend) throws Unavailable {
    String query =
        """
        select current_setting('server_version'), current_setting('is_superuser'),
          (select default_version from pg_available_extensions where name = 'vector')
        """;
    try (Connection connection = dataSource(backend).getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      row.next();
      Optional<String> pgvector = Optional.ofNullable(row.getString(3));
      String description =
          "PostgreSQL %s with pgvector %s, %s"
              .formatted(row.getString(1), pgvector.orElse("missing"), backend.place());
      if (!pgvector.map(PostgresServer::isNewEnough).orElse(false)) {
        throw new Unavailable(description + ": it takes pgvector " + OLDEST_PGVECTOR);
      }
      if (!"on".equals(row.getString(2))) {
        throw new Unavailable(description + ": '" + backend.user() + "' is no superuser there");
      }
      return description;
    } catch (SQLException e) {
      throw new Unavailable(backend.place() + ": " + e.getMessage(), e);
    }
  }

  private static boolean isNewEnough(String pgvector) {
    return Version.parse(pgvector).compareTo(Version.parse(OLDEST_PGVECTOR)) >= 0;
  }

  private static PGSimpleDataSource dataSource(Backend backend) {
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setUrl(backend.jdbcUrl());
    dataSource.setUser(backend.user());
    dataSource.setPassword(backend.password());
    return dataSource;
  }

  /** The URL of the database in which this server was found; tests make one of their own. */
  public String jdbcUrl() {
    return backend.jdbcUrl();
  }

  /** The superuser. */
  public String user() {
    return backend.user();
  }

  /** The superuser's password; empty where none was given. */
  public String password() {
    return backend.password();
  }

  /** The versions of PostgreSQL and pgvector, and where the server runs. */
  public String describe() {
    return description;
  }

  /**
   * Creates an empty database from {@code template0}.
   *
   * @param prefix how its name begins, at most 50 bytes; the rest is random
   */
  public ScratchDatabase freshDatabase(String prefix) {
    return database(prefix, "template0");
  }

  /**
   * Makes a copy of a database.
   *
   * @param original nobody must be connected to it
   * @param prefix as in {@link #freshDatabase}
   */
  public ScratchDatabase copy(ScratchDatabase original, String prefix) {
    return database(prefix, quoted(original.name()));
  }

  private ScratchDatabase database(String prefix, String template) {
    if (prefix.getBytes(StandardCharsets.UTF_8).length > LONGEST_PREFIX) {
      throw new IllegalArgumentException(
          "'%s' is longer than %d bytes".formatted(prefix, LONGEST_PREFIX));
    }
    String name = prefix + "_" + UUID.randomUUID().toString().substring(0, 8);
    execute("create database " + quoted(name) + " template " + template);
    PGSimpleDataSource dataSource = dataSource(backend);
    dataSource.setDatabaseName(name);
    return new ScratchDatabase(this, name, dataSource);
  }

  void drop(String name) {
    execute("drop database if exists " + quoted(name) + " with (force)");
  }

  /**
   * Runs one of PostgreSQL's client programs, such as {@code psql} or {@code pg_dump}, as the
   * superuser and returns what it prints. The program comes with the server; for a server at a
   * given URL it is this machine's newest.
   *
   * @throws UncheckedIOException if it cannot be run or fails; the message holds what it said
   */
  public String client(String database, String program, String... arguments) {
    try {
      return backend.client(database, program, List.of(arguments));
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  /**
   * The schema of a database as {@code pg_dump --schema-only} writes it; equal schemas give equal
   * text.
   *
   * @param arguments more options for {@code pg_dump}
   */
  public String dumpSchema(String database, String... arguments) {
    List<String> options = dumpOptions;
    if (options.isEmpty()) {
      options =
          client(database, "pg_dump", "--help").contains("--restrict-key")
              ? List.of("--schema-only", "--restrict-key=consolidation")
              : List.of("--schema-only");
      dumpOptions = options;
    }
    return client(
        database,
        "pg_dump",
        Stream.concat(options.stream(), Stream.of(arguments)).toArray(String[]::new));
  }

  /** Whether {@link #crash} and {@link #standby} work here: they do with a throw-away cluster. */
  public boolean canCrash() {
    return backend.canCrash();
  }

  /**
   * Stops the server as a crash stops it, and starts it again; nobody else may be using it.
   *
   * @throws UncheckedIOException if that fails
   */
  public void crash() {
    try {
      backend.crash();
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  /**
   * Starts a hot standby that follows this server until that is closed, from a copy of all its
   * databases.
   *
   * @return the JDBC URL of the standby's database "postgres"; user and password are this server's
   * @throws UncheckedIOException if that fails
   */
  public String standby() {
    try {
      return backend.standby();
    } catch (IOException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
  }

  /** Ends the server if it was started for this object. */
  @Override
  public void close() {
    backend.close();
  }

  private void execute(String sql) {
    try (Connection connection = dataSource(backend).getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new IllegalStateException(sql + ": " + e.getMessage(), e);
    }
  }

  private static String quoted(String name) {
    return '"' + name.replace("\"", "\"\"") + '"';
  }

  /** Looked for once, also where there is none. */
  private static final class Shared {
    static final CompletableFuture<PostgresServer> SERVER =
        CompletableFuture.supplyAsync(() -> find(LOG::info), Runnable::run);
  }
}
