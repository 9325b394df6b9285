package io.agentmemory.consolidation.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/** Real sentences: those of a file, or else the short descriptions of the packages apt knows. */
final class Sentences {
  private static final String DESCRIPTION = "Description";
  private static final int SHORTEST = 12;

  private Sentences() {}

  /** As many as asked for, distinct and in random order, or all there are. */
  static List<String> read(Optional<Path> file, int count) throws IOException {
    List<String> sentences = file.isPresent() ? ofFile(file.get()) : ofApt();
    return sentences.subList(0, Math.min(count, sentences.size()));
  }

  private static List<String> ofFile(Path file) throws IOException {
    Set<String> distinct = new LinkedHashSet<>();
    for (String line : Files.readAllLines(file)) {
      add(distinct, line);
    }
    return new ArrayList<>(distinct);
  }

  private static List<String> ofApt() throws IOException {
    Process apt =
        new ProcessBuilder("apt-cache", "dumpavail")
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    Set<String> distinct = new LinkedHashSet<>();
    try (BufferedReader lines = apt.inputReader(StandardCharsets.UTF_8)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith(DESCRIPTION + ": ") || line.startsWith(DESCRIPTION + "-en: ")) {
          add(distinct, line.substring(line.indexOf(' ')));
        }
      }
    }
    List<String> shuffled = new ArrayList<>(distinct);
    Collections.shuffle(shuffled, new Random(7));
    return shuffled;
  }

  private static void add(Set<String> distinct, String line) {
    String sentence = line.strip();
    if (sentence.length() >= SHORTEST) {
      distinct.add(sentence);
    }
  }
}
