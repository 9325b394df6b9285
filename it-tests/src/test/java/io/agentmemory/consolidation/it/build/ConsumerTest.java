package io.agentmemory.consolidation.it.build;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.it.build.BuildEnvironment.Result;
import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.it.postgres.PostgresServer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * Builds and runs an application outside this build, on the jars and poms as they are published.
 */
class ConsumerTest {
  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();

  @TempDir private Path folder;

  @Test
  void compilesAndRunsOnPublishedJars() throws Exception {
    Path consumer = folder.resolve("consumer");
    BuildEnvironment.copy(
        BuildEnvironment.path("root").resolve("it-tests").resolve("src").resolve("consumer"),
        consumer);
    PostgresServer server = database.get().server();
    Path settings = Files.writeString(folder.resolve("settings.xml"), settings(), UTF_8);

    Result run =
        BuildEnvironment.maven(
            consumer,
            "--global-settings=" + settings,
            "-Dmaven.repo.local=" + folder.resolve("repository"),
            "-Dconsolidation.version=" + BuildEnvironment.property("version"),
            versionOf("plugin.compiler"),
            versionOf("plugin.exec"),
            versionOf("plugin.resources"),
            "-Dexec.args=" + String.join(" ", database.jdbcUrl(), server.user(), server.password()),
            "compile",
            "exec:java");

    assertThat(run.status()).as(run.log()).isZero();
    assertThat(run.log().lines().filter(line -> line.startsWith("consumer: ")))
        .containsExactly("consumer: differences []", "consumer: found Retry with a limit.");
    assertThat(folder.resolve("repository/io/agentmemory"))
        .as("only what is published")
        .isDirectoryNotContaining("glob:**consolidation-parent");
  }

  private static String versionOf(String what) {
    return "-D%s.version=%s".formatted(what, BuildEnvironment.property(what + ".version"));
  }

  /**
   * The repository that the build published to, and what the build has downloaded already; the
   * user's own settings and Maven's central repository come after them.
   */
  private static String settings() {
    String repositories =
        repository("staging", true, BuildEnvironment.path("staging.directory"))
            + repository("downloaded", false, BuildEnvironment.path("local.repository"));
    return """
    <settings>
      <profiles>
        <profile>
          <id>published</id>
          <repositories>%s</repositories>
          <pluginRepositories>%s</pluginRepositories>
        </profile>
      </profiles>
      <activeProfiles>
        <activeProfile>published</activeProfile>
      </activeProfiles>
    </settings>
    """
        .formatted(repositories, repositories.replace("repository>", "pluginRepository>"));
  }

  private static String repository(String id, boolean snapshots, Path folder) {
    return """
    <repository>
      <id>%s</id>
      <url>%s</url>
      <releases><enabled>%s</enabled><checksumPolicy>ignore</checksumPolicy></releases>
      <snapshots><enabled>%s</enabled></snapshots>
    </repository>
    """
        .formatted(id, folder.toUri(), !snapshots, snapshots);
  }
}
