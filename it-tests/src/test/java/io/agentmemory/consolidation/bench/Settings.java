package io.agentmemory.consolidation.bench;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What is measured and at which size, by system properties; a blank one counts as not given.
 *
 * <ul>
 *   <li>{@code bench}: the sections, by comma; all of {@link #SECTIONS} unless given
 *   <li>{@code quick}: a tenth of everything, to see that all of it runs; its figures mean nothing
 *   <li>{@code rounds}: how many rounds, 9 unless given
 *   <li>{@code rows}: how many rows the larger set has, 1,000,000 unless given
 *   <li>{@code hostRows}: how many rows the host table of an upgrade has, 5,000,000 unless given
 *   <li>{@code sentences}: a file of one sentence a line instead of apt's package descriptions
 *   <li>{@code locomo}: the folder of LoCoMo's files
 *   <li>{@code vectors}: the folder that keeps the embeddings of a run for the next one
 *   <li>{@code benchmark.output}: the folder of the results
 * </ul>
 */
record Settings(
    Set<String> sections,
    boolean quick,
    int rounds,
    int largeRows,
    int hostRows,
    Optional<Path> sentences,
    Optional<Path> locomo,
    Path vectors,
    Path output) {

  static final List<String> SECTIONS =
      List.of(
          "search",
          "peers",
          "overhead",
          "allocation",
          "text",
          "locomo",
          "fused",
          "batch",
          "ingest",
          "writes",
          "jobs",
          "rls",
          "upgrade",
          "large");

  /** How many rows a search is asked for. */
  static final int K = 10;

  static Settings ofSystemProperties() {
    boolean quick = property("quick").map(value -> !"false".equals(value)).orElse(false);
    Set<String> sections = new LinkedHashSet<>(SECTIONS);
    property("bench").ifPresent(names -> sections.retainAll(known(names)));
    return new Settings(
        sections,
        quick,
        number("rounds", quick ? 3 : 9),
        number("rows", quick ? 20_000 : 1_000_000),
        number("hostRows", quick ? 200_000 : 5_000_000),
        property("sentences").map(Path::of),
        property("locomo").map(Path::of),
        Path.of(property("vectors").orElse("target/benchmark-vectors")),
        Path.of(property("benchmark.output").orElse("target/benchmark")));
  }

  private static List<String> known(String names) {
    List<String> given = Arrays.stream(names.split(",", -1)).map(String::strip).toList();
    for (String name : given) {
      if (!SECTIONS.contains(name)) {
        throw new IllegalArgumentException(
            "bench: there is no section '%s'; there are %s"
                .formatted(name, String.join(",", SECTIONS)));
      }
    }
    return given;
  }

  private static Optional<String> property(String name) {
    return Optional.ofNullable(System.getProperty(name)).filter(value -> !value.isBlank());
  }

  private static int number(String name, int otherwise) {
    int number = property(name).map(Integer::parseInt).orElse(otherwise);
    if (number < 1) {
      throw new IllegalArgumentException(name + " is " + number + ": give at least 1");
    }
    return number;
  }

  /** How many rows are real sentences. */
  int rows() {
    return quick ? 5_000 : 50_000;
  }

  /** How many sentences are held out to be asked. */
  int questions() {
    return quick ? 60 : 300;
  }

  /** How many questions every contender is asked in a round. */
  int slice() {
    return quick ? 10 : 34;
  }

  /** After so long a contender that has answered a few questions of a round is let off the rest. */
  long sliceNanos() {
    return quick ? 100_000_000L : 600_000_000L;
  }

  /** How long several clients run at a time. */
  double clientSeconds() {
    return quick ? 0.4 : 2;
  }

  /** How many rows are inserted under an HNSW index, one way. */
  int rowsUnderIndex() {
    return quick ? 600 : 5_000;
  }

  /** How many rows are loaded with their index built last. */
  int rowsInBulk() {
    return quick ? 2_000 : 15_000;
  }

  /** How many finished jobs the smaller of two tables has; the larger has ten times as many. */
  int finishedJobs() {
    return quick ? 20_000 : 1_000_000;
  }

  /** How many rounds the ways have that take a large part of a minute. */
  int slowRounds() {
    return Math.min(rounds, 3);
  }
}
