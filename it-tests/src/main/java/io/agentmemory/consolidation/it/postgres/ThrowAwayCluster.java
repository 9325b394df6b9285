package io.agentmemory.consolidation.it.postgres;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * A new cluster from the PostgreSQL binaries of this machine. A shell script starts it, and stops
 * and deletes it once its standard input closes; that pipe ends with this JVM, however the JVM
 * ends.
 */
final class ThrowAwayCluster implements Backend {
  private static final String SCRIPT = "throw-away-cluster.sh";
  private static final String READY = "ready ";
  private static final boolean ON_MAC = System.getProperty("os.name").startsWith("Mac");

  /** The group of "nobody", which has no name that is the same everywhere. */
  private static final String NOBODY = "65534";

  /** Ports to try: another program may take one before the server does. */
  private static final int PORTS = 3;

  private final Installation installation;
  private final Process script;
  private final BufferedReader output;
  private final String port;
  private final String password;

  private ThrowAwayCluster(
      Installation installation,
      Process script,
      BufferedReader output,
      String port,
      String password) {
    this.installation = installation;
    this.script = script;
    this.output = output;
    this.port = port;
    this.password = password;
  }

  static ThrowAwayCluster start(Consumer<String> listener) throws Unavailable {
    return start(listener, List.of());
  }

  /** Starts one with a {@code /dev/shm} of its own; only root can, on Linux. */
  static ThrowAwayCluster withSharedMemory(int megabytes, Consumer<String> listener)
      throws Unavailable {
    String mount = "mount -t tmpfs -o mode=1777,size=%dm tmpfs /dev/shm && exec \"$@\"";
    return start(
        listener,
        List.of("unshare", "--mount", "sh", "-c", mount.formatted(megabytes), "shared-memory"));
  }

  private static ThrowAwayCluster start(Consumer<String> listener, List<String> within)
      throws Unavailable {
    List<Installation> installations = Installation.all();
    try {
      for (Installation installation : installations) {
        if (installation.hasExtension("vector")) {
          listener.accept("starting a throw-away cluster from " + installation.bin());
          return start(installation, within);
        }
      }
    } catch (IOException e) {
      throw new Unavailable(String.valueOf(e.getMessage()), e);
    }
    throw new Unavailable(
        "no vector extension for the PostgreSQL in "
            + installations.stream()
                .map(installation -> installation.bin().toString())
                .collect(Collectors.joining(", ")));
  }

  private static ThrowAwayCluster start(Installation installation, List<String> within)
      throws IOException, Unavailable {
    String password = UUID.randomUUID().toString();
    List<String> command = new ArrayList<>(ownSession());
    command.addAll(within);
    command.addAll(asOrdinaryUser());
    command.addAll(List.of("sh", "-c", script(), SCRIPT, installation.bin().toString(), locale()));
    command.add(configuration(installation.hasExtension("pg_stat_statements")));
    command.addAll(freePorts());
    ProcessBuilder builder = Commands.builder(command).redirectErrorStream(true);
    builder.environment().put("THROW_AWAY_PASSWORD", password);
    Process script = builder.start();
    BufferedReader output = script.inputReader(StandardCharsets.UTF_8);
    String first = output.readLine();
    if (first == null || !first.startsWith(READY)) {
      String said = first + "\n" + output.lines().collect(Collectors.joining("\n"));
      throw new Unavailable(
          Commands.failure(installation.bin() + " with " + SCRIPT, Commands.waitFor(script), said));
    }
    String port = first.substring(READY.length());
    return new ThrowAwayCluster(installation, script, output, port, password);
  }

  /**
   * Out of reach of a signal that ends this JVM's whole process group, for the script to outlive
   * it.
   */
  private static List<String> ownSession() {
    return ON_MAC ? List.of() : List.of("setsid");
  }

  /** PostgreSQL refuses to run as root. */
  private static List<String> asOrdinaryUser() throws IOException {
    if (!"root".equals(System.getProperty("user.name"))) {
      return List.of();
    }
    return userExists("postgres")
        ? List.of("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--")
        : List.of("setpriv", "--reuid=nobody", "--regid=" + NOBODY, "--clear-groups", "--");
  }

  private static boolean userExists(String name) throws IOException {
    try {
      FileSystems.getDefault().getUserPrincipalLookupService().lookupPrincipalByName(name);
      return true;
    } catch (UserPrincipalNotFoundException e) {
      return false;
    }
  }

  private static String script() throws IOException {
    try (InputStream script =
        Objects.requireNonNull(ThrowAwayCluster.class.getResourceAsStream(SCRIPT), SCRIPT)) {
      return new String(script.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /** UTF-8 without a language; a Mac has it under a language's name only. */
  private static String locale() {
    return ON_MAC ? "en_US.UTF-8" : "C.UTF-8";
  }

  private static String configuration(boolean statistics) {
    return String.join("\n", Backend.configuration(statistics));
  }

  private static List<String> freePorts() throws IOException {
    List<ServerSocket> sockets = new ArrayList<>();
    try {
      for (int i = 0; i < PORTS; i++) {
        sockets.add(new ServerSocket(0));
      }
      return sockets.stream().map(socket -> String.valueOf(socket.getLocalPort())).toList();
    } finally {
      for (ServerSocket socket : sockets) {
        socket.close();
      }
    }
  }

  @Override
  public String jdbcUrl() {
    return url(port);
  }

  private static String url(String port) {
    return "jdbc:postgresql://127.0.0.1:" + port + "/postgres";
  }

  @Override
  public String user() {
    return "postgres";
  }

  @Override
  public String password() {
    return password;
  }

  @Override
  public String place() {
    return "throw-away cluster from " + installation.bin();
  }

  @Override
  public String client(String database, String program, List<String> arguments) throws IOException {
    return installation.run(
        Map.of(
            "PGHOST", "127.0.0.1",
            "PGPORT", port,
            "PGUSER", user(),
            "PGPASSWORD", password,
            "PGDATABASE", database),
        program,
        arguments);
  }

  @Override
  public boolean canCrash() {
    return true;
  }

  @Override
  public void crash() throws IOException {
    ask("crash", port);
  }

  @Override
  public String standby() throws IOException {
    String other = freePorts().get(0);
    ask("standby " + other, other);
    return url(other);
  }

  private void ask(String line, String answering) throws IOException {
    OutputStream input = script.getOutputStream();
    input.write((line + "\n").getBytes(StandardCharsets.UTF_8));
    input.flush();
    String answer = output.readLine();
    if (!(READY + answering).equals(answer)) {
      throw new IOException("no server after \"" + line + "\": " + answer);
    }
  }

  @Override
  public void close() {
    try {
      script.getOutputStream().close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Commands.waitFor(script);
  }
}
