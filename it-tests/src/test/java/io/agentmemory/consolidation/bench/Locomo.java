package io.agentmemory.consolidation.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * LoCoMo's conversations: a memory for each turn, and the questions of categories 1 to 4 with the
 * turns that hold their answers.
 */
record Locomo(List<Conversation> conversations) {
  private static final int LAST_CATEGORY = 4;

  /** One file. */
  record Conversation(String name, List<Turn> turns, List<Asked> questions) {}

  /** Something said; its id is that of the file. */
  record Turn(String id, String text) {}

  /** A question with the turns that answer it. */
  record Asked(String text, int category, Set<String> evidence) {
    double recall(List<String> found) {
      return (double) found.stream().filter(evidence::contains).count() / evidence.size();
    }
  }

  static Locomo read(Path folder) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder, "*.json")) {
      stream.forEach(files::add);
    }
    files.sort(null);
    List<Conversation> conversations = new ArrayList<>();
    for (Path file : files) {
      JsonNode root = mapper.readTree(file.toFile());
      conversations.add(
          new Conversation(file.getFileName().toString(), turns(root), questions(root)));
    }
    return new Locomo(List.copyOf(conversations));
  }

  private static List<Turn> turns(JsonNode root) {
    List<Turn> turns = new ArrayList<>();
    for (JsonNode session : root.get("sessions")) {
      for (JsonNode turn : session.get("turns")) {
        String text = turn.get("speaker").asText() + ": " + turn.get("text").asText();
        turns.add(new Turn(turn.get("dia_id").asText(), text));
      }
    }
    return turns;
  }

  private static List<Asked> questions(JsonNode root) {
    List<Asked> questions = new ArrayList<>();
    for (JsonNode asked : root.get("qa")) {
      Set<String> evidence = new HashSet<>();
      asked.path("evidence").forEach(turn -> evidence.add(turn.asText()));
      int category = asked.get("category").asInt();
      if (category <= LAST_CATEGORY && !evidence.isEmpty()) {
        questions.add(new Asked(asked.get("question").asText(), category, evidence));
      }
    }
    return questions;
  }
}
