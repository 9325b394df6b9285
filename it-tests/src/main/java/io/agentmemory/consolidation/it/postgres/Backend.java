package io.agentmemory.consolidation.it.postgres;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A server that one of the ways led to. */
interface Backend extends AutoCloseable {
  /** Settings for a server whose data nobody will miss, as lines of postgresql.conf. */
  static List<String> configuration(boolean statistics) {
    List<String> lines =
        new ArrayList<>(List.of("fsync=off", "full_page_writes=off", "max_connections=200"));
    if (statistics) {
      lines.add("shared_preload_libraries=pg_stat_statements");
    }
    Setting.POSTGRES_SETTINGS
        .value()
        .ifPresent(more -> Stream.of(more.split(";", -1)).map(String::strip).forEach(lines::add));
    return lines;
  }

  String jdbcUrl();

  String user();

  String password();

  /** Where the server runs, for people. */
  String place();

  /**
   * Runs a client program of PostgreSQL on a database of this server and returns what it prints.
   */
  String client(String database, String program, List<String> arguments) throws IOException;

  /** Whether {@link #crash} and {@link #standby} can be asked for. */
  default boolean canCrash() {
    return false;
  }

  /** Stops the server as a crash stops it, and starts it again. */
  default void crash() throws IOException {
    throw new IOException("the " + place() + " cannot be made to crash");
  }

  /**
   * Has another server follow this one, and returns the URL of its database "postgres"; user and
   * password are the same.
   */
  default String standby() throws IOException {
    throw new IOException("the " + place() + " cannot be followed");
  }

  /** Ends what was started for this server. */
  @Override
  void close();
}
