package io.agentmemory.consolidation.it.postgres;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.module.ModuleDescriptor.Version;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The programs of a PostgreSQL server on this machine, by the folder that holds them. */
record Installation(Path bin) {
  private static final Path DEBIAN = Path.of("/usr/lib/postgresql");

  /**
   * The installations of this machine, the one to prefer first.
   *
   * @throws Unavailable if there is none
   */
  static List<Installation> all() throws Unavailable {
    Optional<Path> given = Setting.POSTGRES_BIN.value().map(Path::of);
    Set<Path> folders = new LinkedHashSet<>();
    given.ifPresentOrElse(folders::add, () -> folders.addAll(usualFolders()));
    List<Installation> found =
        folders.stream().map(Installation::new).filter(Installation::isServer).toList();
    if (found.isEmpty()) {
      throw new Unavailable(
          "no initdb, pg_ctl and pg_config together in %s; another folder can be given by %s"
              .formatted(
                  given
                      .map(Path::toString)
                      .orElse(DEBIAN + "/*/bin, in the folder of pg_config, or on the PATH"),
                  Setting.POSTGRES_BIN));
    }
    return found;
  }

  /** Runs one of the programs and returns what it prints. */
  String run(Map<String, String> environment, String program, List<String> arguments)
      throws IOException {
    List<String> command = new ArrayList<>(List.of(bin.resolve(program).toString()));
    command.addAll(arguments);
    return Commands.run(command, environment);
  }

  /** Whether the extension's control file is there. */
  boolean hasExtension(String extension) throws IOException {
    return Files.exists(folder("--sharedir").resolve("extension").resolve(extension + ".control"));
  }

  private Path folder(String option) throws IOException {
    return Path.of(run(Map.of(), "pg_config", List.of(option)).strip());
  }

  private boolean isServer() {
    return Stream.of("initdb", "pg_ctl", "pg_config")
        .allMatch(program -> Files.isExecutable(bin.resolve(program)));
  }

  private static List<Path> usualFolders() {
    List<Path> folders = new ArrayList<>(debianFolders());
    List<Path> path =
        Optional.ofNullable(System.getenv("PATH")).stream()
            .flatMap(Pattern.compile(File.pathSeparator)::splitAsStream)
            .map(Path::of)
            .toList();
    // A folder on the PATH often holds links to the programs only, or pg_config alone.
    Stream.of("pg_config", "postgres")
        .flatMap(program -> path.stream().map(folder -> folder.resolve(program)))
        .filter(Files::isExecutable)
        .forEach(program -> folders.add(realFolder(program)));
    return folders;
  }

  private static List<Path> debianFolders() {
    if (!Files.isDirectory(DEBIAN)) {
      return List.of();
    }
    List<Path> versions = new ArrayList<>();
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(DEBIAN, "[0-9]*")) {
      folders.forEach(versions::add);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    versions.sort(
        Comparator.comparing((Path folder) -> Version.parse(folder.getFileName().toString()))
            .reversed());
    return versions.stream().map(folder -> folder.resolve("bin")).toList();
  }

  private static Path realFolder(Path program) {
    try {
      return program.toRealPath().resolveSibling("");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
