package io.agentmemory.consolidation.it.postgres;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** The ways to a server, in the order in which they are tried. */
enum Way {
  URL("the JDBC URL of a server where the user is superuser (" + Setting.JDBC_URL + ")") {
    @Override
    Backend open(Consumer<String> listener) throws Unavailable {
      return GivenServer.open();
    }
  },
  DOCKER("a Docker engine that has, or can pull, " + ContainerServer.image()) {
    @Override
    Backend open(Consumer<String> listener) throws Unavailable {
      return ContainerServer.start(listener);
    }
  },
  BINARIES("PostgreSQL binaries with the vector extension on this machine") {
    @Override
    Backend open(Consumer<String> listener) throws Unavailable {
      return ThrowAwayCluster.start(listener);
    }
  };

  private final String need;

  Way(String need) {
    this.need = need;
  }

  /** What this way needs, for people. */
  String need() {
    return need;
  }

  abstract Backend open(Consumer<String> listener) throws Unavailable;

  /** The only way that the user lets us try: the one asked for, or the URL where one is given. */
  static Optional<Way> only() {
    return Setting.SERVER
        .value()
        .map(Way::named)
        .or(() -> Setting.JDBC_URL.value().map(url -> URL));
  }

  private static Way named(String name) {
    return Stream.of(values())
        .filter(way -> way.name().toLowerCase(Locale.ROOT).equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    Setting.SERVER + " is '" + name + "'; it can be " + names()));
  }

  private static List<String> names() {
    return Stream.of(values()).map(way -> way.name().toLowerCase(Locale.ROOT)).toList();
  }
}
