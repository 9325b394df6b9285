package io.agentmemory.consolidation.it.postgres;

import java.util.Optional;
import java.util.stream.Stream;

/** What the user can say about the server: a system property, or else an environment variable. */
enum Setting {
  SERVER("consolidation.server", "CONSOLIDATION_SERVER"),
  JDBC_URL("consolidation.jdbcUrl", "CONSOLIDATION_JDBC_URL"),
  USER("consolidation.user", "CONSOLIDATION_USER"),
  PASSWORD("consolidation.password", "CONSOLIDATION_PASSWORD"),
  IMAGE("consolidation.image", "CONSOLIDATION_IMAGE"),
  POSTGRES_BIN("consolidation.postgres.bin", "CONSOLIDATION_POSTGRES_BIN"),
  POSTGRES_SETTINGS("consolidation.postgres.settings", "CONSOLIDATION_POSTGRES_SETTINGS");

  private final String property;
  private final String variable;

  Setting(String property, String variable) {
    this.property = property;
    this.variable = variable;
  }

  Optional<String> value() {
    return Stream.of(
            Optional.ofNullable(System.getProperty(property)),
            Optional.ofNullable(System.getenv(variable)))
        .flatMap(Optional::stream)
        .filter(value -> !value.isBlank())
        .findFirst();
  }

  /** Both names, as a message shows them. */
  @Override
  public String toString() {
    return "-D" + property + " or " + variable;
  }
}
