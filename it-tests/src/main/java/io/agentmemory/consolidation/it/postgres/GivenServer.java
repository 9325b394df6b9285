package io.agentmemory.consolidation.it.postgres;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.postgresql.ds.PGSimpleDataSource;

/** The server of a JDBC URL that the user gives. */
final class GivenServer implements Backend {
  private final PGSimpleDataSource given;

  private GivenServer(PGSimpleDataSource given) {
    this.given = given;
  }

  static GivenServer open() throws Unavailable {
    String url = Setting.JDBC_URL.value().orElseThrow(() -> new Unavailable("none is given"));
    PGSimpleDataSource given = new PGSimpleDataSource();
    try {
      given.setUrl(url);
    } catch (IllegalArgumentException e) {
      throw new Unavailable("'" + url + "' is no JDBC URL of PostgreSQL", e);
    }
    Setting.USER.value().ifPresent(given::setUser);
    Setting.PASSWORD.value().ifPresent(given::setPassword);
    return new GivenServer(given);
  }

  @Override
  public String jdbcUrl() {
    return given.getUrl();
  }

  @Override
  public String user() {
    return Optional.ofNullable(given.getUser()).orElse("postgres");
  }

  @Override
  public String password() {
    return Optional.ofNullable(given.getPassword()).orElse("");
  }

  @Override
  public String place() {
    return "the server given by " + Setting.JDBC_URL;
  }

  /** With a program of this machine, the newest there is. */
  @Override
  public String client(String database, String program, List<String> arguments) throws IOException {
    try {
      return Installation.all()
          .get(0)
          .run(
              Map.of(
                  "PGHOST", given.getServerNames()[0],
                  "PGPORT", String.valueOf(given.getPortNumbers()[0]),
                  "PGUSER", user(),
                  "PGPASSWORD", password(),
                  "PGDATABASE", database),
              program,
              arguments);
    } catch (Unavailable e) {
      throw new IOException("no " + program + " for " + place() + ": " + e.getMessage(), e);
    }
  }

  /** The server is the user's: it stays. */
  @Override
  public void close() {}
}
