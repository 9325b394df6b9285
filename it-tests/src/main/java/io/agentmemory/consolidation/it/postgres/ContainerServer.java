package io.agentmemory.consolidation.it.postgres;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.PullImageResultCallback;
import com.github.dockerjava.api.exception.NotFoundException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.testcontainers.containers.Container.ExecResult;
import org.testcontainers.dockerclient.DockerClientProviderStrategy;
import org.testcontainers.postgresql.PostgreSQLContainer;
import org.testcontainers.utility.DockerImageName;

/** A container of {@link #image()}. */
final class ContainerServer implements Backend {
  private static final String IMAGE = "pgvector/pgvector:pg17";
  private static final Duration LONGEST_PULL = Duration.ofMinutes(3);

  /** Testcontainers alone has no bound: it asks for each of its images again and again. */
  private static final Duration LONGEST_START = Duration.ofMinutes(2);

  /** An HNSW index built in parallel shares its graph there, and Docker gives 64 MiB. */
  private static final long SHARED_MEMORY = 1L << 30;

  private final PostgreSQLContainer container;

  private ContainerServer(PostgreSQLContainer container) {
    this.container = container;
  }

  /** The image that is asked for, {@value #IMAGE} unless another is. */
  static String image() {
    return Setting.IMAGE.value().orElse(IMAGE);
  }

  static ContainerServer start(Consumer<String> listener) throws Unavailable {
    DockerClient docker = engine();
    if (!isThere(docker)) {
      listener.accept("pulling " + image() + ", for at most " + LONGEST_PULL.toSeconds() + " s");
      pull(docker);
    }
    listener.accept("starting a container of " + image());
    PostgreSQLContainer container =
        new PostgreSQLContainer(
                DockerImageName.parse(image()).asCompatibleSubstituteFor("postgres"))
            .withImagePullPolicy(image -> false)
            .withSharedMemorySize(SHARED_MEMORY)
            .withDatabaseName("postgres")
            .withUsername("postgres")
            .withPassword(UUID.randomUUID().toString())
            .withCommand(command());
    start(container);
    return new ContainerServer(container);
  }

  private static void start(PostgreSQLContainer container) throws Unavailable {
    ExecutorService starter = Executors.newSingleThreadExecutor(ContainerServer::daemon);
    try {
      starter.submit(container::start).get(LONGEST_START.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      container.stop();
      throw new Unavailable("the container does not start: " + rootMessage(e), e);
    } catch (TimeoutException e) {
      throw new Unavailable(
          ("the container did not start within %d s; where the image of Testcontainers' own helper,"
                  + " Ryuk, cannot be pulled, TESTCONTAINERS_RYUK_DISABLED=true does without it")
              .formatted(LONGEST_START.toSeconds()),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Unavailable("interrupted while starting the container", e);
    } finally {
      starter.shutdownNow();
    }
  }

  private static Thread daemon(Runnable work) {
    Thread thread = new Thread(work, "container-start");
    thread.setDaemon(true);
    return thread;
  }

  /**
   * The engine, asked without what Testcontainers starts beside its containers, for that needs an
   * image of its own to be pulled first.
   */
  private static DockerClient engine() throws Unavailable {
    List<DockerClientProviderStrategy> strategies =
        ServiceLoader.load(DockerClientProviderStrategy.class).stream()
            .map(ServiceLoader.Provider::get)
            .toList();
    try {
      return DockerClientProviderStrategy.getFirstValidStrategy(strategies).getDockerClient();
    } catch (IllegalStateException e) {
      throw new Unavailable("no Docker engine answers", e);
    }
  }

  private static boolean isThere(DockerClient docker) {
    try {
      docker.inspectImageCmd(image()).exec();
      return true;
    } catch (NotFoundException e) {
      return false;
    }
  }

  private static void pull(DockerClient docker) throws Unavailable {
    try (PullImageResultCallback pull =
        docker.pullImageCmd(image()).exec(new PullImageResultCallback())) {
      if (!pull.awaitCompletion(LONGEST_PULL.toSeconds(), TimeUnit.SECONDS)) {
        throw new Unavailable(
            image() + " was not pulled within " + LONGEST_PULL.toSeconds() + " s");
      }
    } catch (RuntimeException | IOException e) {
      throw new Unavailable(image() + " cannot be pulled: " + rootMessage(e), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Unavailable("interrupted while pulling " + image(), e);
    }
  }

  private static String[] command() {
    List<String> command = new ArrayList<>(List.of("postgres"));
    Backend.configuration(true).forEach(line -> command.addAll(List.of("-c", line)));
    return command.toArray(String[]::new);
  }

  private static String rootMessage(Throwable problem) {
    Throwable root = problem;
    for (Throwable cause = root.getCause(); cause != null; cause = cause.getCause()) {
      root = cause;
    }
    return String.valueOf(root.getMessage()).strip();
  }

  @Override
  public String jdbcUrl() {
    return container.getJdbcUrl();
  }

  @Override
  public String user() {
    return container.getUsername();
  }

  @Override
  public String password() {
    return container.getPassword();
  }

  @Override
  public String place() {
    return "container of " + image();
  }

  @Override
  public String client(String database, String program, List<String> arguments) throws IOException {
    List<String> command =
        new ArrayList<>(List.of("env", "PGUSER=" + user(), "PGDATABASE=" + database, program));
    command.addAll(arguments);
    try {
      ExecResult result = container.execInContainer(command.toArray(String[]::new));
      if (result.getExitCode() != 0) {
        throw new IOException(Commands.failure(program, result.getExitCode(), result.getStderr()));
      }
      return result.getStdout();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while running " + program, e);
    }
  }

  @Override
  public void close() {
    container.stop();
  }
}
