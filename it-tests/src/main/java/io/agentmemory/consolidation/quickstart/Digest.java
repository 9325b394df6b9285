package io.agentmemory.consolidation.quickstart;

import io.agentmemory.consolidation.dao.MemoryType;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Makes one memory of a group of notes that say the same, without a language model: the note
 * nearest to all others speaks for the group, followed by how often and when it was seen and by the
 * sentences of the others, newest first, that say something new. It quotes, it does not understand:
 * where notes contradict each other it shows both with their dates. An application would ask its
 * model here.
 *
 * @param content the text
 * @param type the most frequent type; of several the speaker's
 * @param likeness the mean cosine similarity of the others to the speaker, from 0 to 1
 * @param tags words that most of the notes share and few others have
 * @param sources the notes' ids, oldest first
 */
record Digest(
    String content, MemoryType type, double likeness, List<String> tags, List<String> sources) {
  static final String METHOD = "quickstart: nearest to all others, quoted";

  private static final int MOST_SENTENCES = 3;
  private static final int MOST_TAGS = 4;
  private static final double NEW_WORDS = 0.6;

  /** The digest of a group, among all notes of its project. */
  static Digest of(List<Note> group, List<Note> all) {
    Note speaker = nearestToAll(group);
    List<Note> byTime = group.stream().sorted(Comparator.comparing(Note::time)).toList();
    return new Digest(
        content(speaker, byTime),
        type(speaker, group),
        Math.max(0, likeness(speaker, group)),
        tags(group, all),
        byTime.stream().map(Note::id).toList());
  }

  private static Note nearestToAll(List<Note> group) {
    return group.stream()
        .max(
            Comparator.comparingDouble((Note note) -> likeness(note, group))
                .thenComparing(Note::time)
                .thenComparing(Note::id))
        .orElseThrow();
  }

  private static double likeness(Note note, List<Note> group) {
    return group.stream()
        .filter(other -> !other.id().equals(note.id()))
        .mapToDouble(other -> note.embedding().cosineSimilarity(other.embedding()))
        .average()
        .orElse(1);
  }

  private static String content(Note speaker, List<Note> byTime) {
    StringBuilder text = new StringBuilder(speaker.text());
    text.append("\nNoted %d times".formatted(byTime.size()));
    LocalDate first = day(byTime.get(0).time());
    LocalDate last = day(byTime.get(byTime.size() - 1).time());
    text.append(first.equals(last) ? " on " + first : " from %s to %s".formatted(first, last));
    text.append("; this is the note of ").append(day(speaker.time())).append('.');
    Set<String> said = new HashSet<>(Words.of(speaker.text()));
    int quoted = 0;
    for (int i = byTime.size() - 1; i >= 0 && quoted < MOST_SENTENCES; i--) {
      Note note = byTime.get(i);
      if (note.id().equals(speaker.id())) {
        continue;
      }
      for (String sentence : Words.sentences(note.text())) {
        Set<String> words = Words.of(sentence);
        long fresh = words.stream().filter(word -> !said.contains(word)).count();
        if (quoted < MOST_SENTENCES && fresh > words.size() * NEW_WORDS) {
          text.append("\n%s: %s".formatted(day(note.time()), sentence));
          said.addAll(words);
          quoted++;
        }
      }
    }
    return text.toString();
  }

  private static LocalDate day(Instant time) {
    return time.atZone(ZoneOffset.UTC).toLocalDate();
  }

  private static MemoryType type(Note speaker, List<Note> group) {
    Map<MemoryType, Long> counts =
        group.stream().collect(Collectors.groupingBy(Note::type, Collectors.counting()));
    return counts.keySet().stream()
        .max(
            Comparator.comparing((MemoryType type) -> counts.getOrDefault(type, 0L))
                .thenComparing(type -> type == speaker.type())
                .thenComparing(Comparator.reverseOrder()))
        .orElseThrow();
  }

  private static List<String> tags(List<Note> group, List<Note> all) {
    Map<String, Long> here = frequencies(group);
    Map<String, Long> everywhere = frequencies(all);
    Function<String, Double> weight =
        word ->
            here.getOrDefault(word, 0L)
                * Math.log(1 + (double) all.size() / everywhere.getOrDefault(word, 1L));
    return here.keySet().stream()
        .filter(word -> here.getOrDefault(word, 0L) * 2 > group.size() && word.length() <= 50)
        .sorted(Comparator.comparing(weight).reversed().thenComparing(Comparator.naturalOrder()))
        .limit(MOST_TAGS)
        .toList();
  }

  private static Map<String, Long> frequencies(List<Note> notes) {
    Map<String, Long> counts = new HashMap<>();
    notes.forEach(note -> Words.of(note.text()).forEach(word -> counts.merge(word, 1L, Long::sum)));
    return counts;
  }
}
