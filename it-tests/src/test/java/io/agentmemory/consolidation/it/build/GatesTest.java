package io.agentmemory.consolidation.it.build;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.it.build.BuildEnvironment.Result;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Builds modules that inherit this build's parent and have one violation each. */
class GatesTest {
  private static Result build;

  @BeforeAll
  static void buildSeededModules() throws Exception {
    Path module = BuildEnvironment.path("root").resolve("it-tests");
    // As deep as the original, for the path to the parent to hold.
    Path copy = module.resolve("target").resolve("gates");
    BuildEnvironment.copy(module.resolve("src").resolve("gates"), copy);
    build =
        BuildEnvironment.maven(
            copy,
            "--offline",
            "--fail-at-end",
            "-Dmaven.repo.local=" + BuildEnvironment.path("local.repository"),
            "package");
  }

  @Test
  void passModuleWithoutViolation() {
    assertThat(build.log()).containsPattern("clean \\S+ \\.+ SUCCESS");
  }

  @ParameterizedTest
  @CsvSource({
    "nullness, '[NullAway] returning @Nullable expression from method with @NonNull return type'",
    "unmarked, '[RequireExplicitNullMarking]'",
    "bug, '[ReturnValueIgnored]'",
    "lint, 'warnings found and -Werror specified'",
    "format, 'The following files had format violations'",
    "javadoc, 'Project contains Javadoc Warnings'",
  })
  void stopModuleWithViolation(String module, String message) {
    assertThat(build.log()).containsPattern(module + " \\S+ \\.+ FAILURE");
    assertThat(build.log().lines())
        .as("the reason that the build gives for %s", module)
        .anySatisfy(line -> assertThat(line).startsWith("[ERROR]").contains(message));
    assertThat(build.status()).isNotZero();
  }
}
