package io.agentmemory.consolidation.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** PostgreSQL's own client for measuring: a bare SELECT, prepared, its vector by a sub-select. */
final class Pgbench implements AutoCloseable {
  private static final Pattern RATE = Pattern.compile("tps = ([0-9.]+) \\(without initial");

  private final OurStore store;
  private final String options;
  private final Path folder;
  private final Path script;

  /** Needs a table {@code questions (n, v)} in the store's database. */
  Pgbench(OurStore store, GridPoint point, int project, int questions) throws IOException {
    this.store = store;
    this.options =
        String.join(
            " ",
            point.settings().stream()
                .map(setting -> setting.replaceFirst("^set (\\S+) = (\\S+)$", "-c $1=$2"))
                .toList());
    folder = Files.createTempDirectory("pgbench");
    script = folder.resolve("search.sql");
    String select =
        RawSearch.sql(
            point.kind(),
            "(select v from questions where n = :n)",
            "'" + DataSet.projectId(project) + "'",
            false);
    Files.writeString(
        script, "\\set n random(0, " + (questions - 1) + ")\n" + select.replace('\n', ' ') + ";\n");
  }

  /** The p50 in milliseconds of so many executions, by its log. */
  double p50(int executions) throws IOException {
    run("-c", "1", "-t", String.valueOf(executions), "-l", "--log-prefix=" + folder.resolve("log"));
    List<Double> times = new ArrayList<>();
    try (DirectoryStream<Path> logs = Files.newDirectoryStream(folder, "log*")) {
      for (Path log : logs) {
        for (String line : Files.readAllLines(log)) {
          times.add(Double.parseDouble(line.split(" ", -1)[2]) / 1_000);
        }
        Files.delete(log);
      }
    }
    return Spread.percentile(times.stream().mapToDouble(Double::doubleValue).toArray(), 50);
  }

  /** Executions a second by several clients. */
  double rate(int clients, double seconds) {
    String output =
        run("-c", "" + clients, "-j", "2", "-T", String.valueOf((long) Math.ceil(seconds)));
    Matcher matcher = RATE.matcher(output);
    if (!matcher.find()) {
      throw new IllegalStateException("pgbench said no rate: " + output);
    }
    return Double.parseDouble(matcher.group(1));
  }

  private String run(String... arguments) {
    List<String> all = new ArrayList<>(List.of("-n", "-M", "prepared", "-f", script.toString()));
    all.addAll(List.of(arguments));
    all.add("dbname=%s options='%s'".formatted(store.database().name(), options));
    return store
        .database()
        .server()
        .client(store.database().name(), "pgbench", all.toArray(String[]::new));
  }

  @Override
  public void close() {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        Files.delete(file);
      }
      Files.delete(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
