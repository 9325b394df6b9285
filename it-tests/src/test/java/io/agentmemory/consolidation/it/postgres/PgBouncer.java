package io.agentmemory.consolidation.it.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/** PgBouncer in transaction mode before a database, with fewer connections than its clients. */
public final class PgBouncer implements AutoCloseable {
  private static final long LONGEST_START_MILLIS = 10_000;

  private final ScratchDatabase database;
  private final String user;
  private final Path folder;
  private final Process process;
  private final int port;

  private PgBouncer(ScratchDatabase database, String user, Path folder, Process process, int port) {
    this.database = database;
    this.user = user;
    this.folder = folder;
    this.process = process;
    this.port = port;
  }

  /** The program, where Debian's package or the PATH has it. */
  public static Optional<Path> program() {
    String path = System.getenv().getOrDefault("PATH", "");
    return Stream.concat(Stream.of("/usr/sbin"), Stream.of(path.split(":", -1)))
        .map(folder -> Path.of(folder, "pgbouncer"))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /** Starts one; the program must be there. */
  public static PgBouncer start(ScratchDatabase database) throws Exception {
    return start(database, database.server().user(), database.server().password());
  }

  /** Starts one whose clients are all of one role; the program must be there. */
  public static PgBouncer start(ScratchDatabase database, String user, String password)
      throws Exception {
    PGSimpleDataSource server = new PGSimpleDataSource();
    server.setUrl(database.jdbcUrl());
    Path folder = Files.createTempDirectory("pgbouncer");
    Path configuration = folder.resolve("pgbouncer.ini");
    int port = freePort();
    Files.writeString(
        configuration,
        """
        [databases]
        * = host=%s port=%d user=%s password='%s'
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = %d
        unix_socket_dir =
        auth_type = any
        pool_mode = transaction
        default_pool_size = 3
        ignore_startup_parameters = extra_float_digits
        """
            .formatted(
                server.getServerNames()[0].replace("localhost", "127.0.0.1"),
                server.getPortNumbers()[0],
                user,
                password.replace("'", "''"),
                port));
    List<String> command = new ArrayList<>(List.of(program().orElseThrow().toString()));
    if ("root".equals(System.getProperty("user.name"))) {
      command.addAll(List.of("-u", "nobody"));
    }
    command.add(configuration.toString());
    Path log = folder.resolve("log");
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    PgBouncer started = new PgBouncer(database, user, folder, process, port);
    long end = System.nanoTime() + LONGEST_START_MILLIS * 1_000_000;
    while (!started.answers()) {
      assertThat(process.isAlive() && System.nanoTime() < end).as(Files.readString(log)).isTrue();
      Thread.sleep(20);
    }
    return started;
  }

  private boolean answers() {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  /** Connections through it, without prepared statements of the session. */
  public DataSource dataSource() {
    PGSimpleDataSource dataSource = new PGSimpleDataSource();
    dataSource.setUrl("jdbc:postgresql://127.0.0.1:" + port + "/" + database.name());
    dataSource.setUser(user);
    dataSource.setPrepareThreshold(0);
    return dataSource;
  }

  @Override
  public void close() throws IOException {
    process.destroy();
    Commands.waitFor(process);
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }
}
