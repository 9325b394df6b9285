package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.langchain4j.model.embedding.onnx.allminilml6v2q.AllMiniLmL6V2QuantizedEmbeddingModel;
import io.agentmemory.consolidation.dao.ConsolidatedMemory;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.FusedHit;
import io.agentmemory.consolidation.dao.FusedQuery;
import io.agentmemory.consolidation.dao.NewMemory;
import io.agentmemory.consolidation.dao.TextHit;
import io.agentmemory.consolidation.dao.TextQuery;
import io.agentmemory.consolidation.dao.WordMatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Recall on the conversations of LoCoMo in {@code -Dlocomo=DIR}, embedded by all-MiniLM-L6-v2: one
 * project a file, one memory a turn, one query a question that has evidence (categories 1 to 4).
 */
class LocomoTest {
  @RegisterExtension final TestDatabase database = TestDatabase.withDimensions(384);

  private final AllMiniLmL6V2QuantizedEmbeddingModel model =
      new AllMiniLmL6V2QuantizedEmbeddingModel();

  private record Question(String project, String text, Set<String> evidence) {
    double recall(Stream<ConsolidatedMemory> found) {
      long hits = found.filter(memory -> evidence.contains(memory.id())).count();
      return (double) hits / evidence.size();
    }
  }

  private Embedding embed(String text) {
    return Embedding.of(model.embed(text).content().vector());
  }

  @Test
  void the_evidence_of_questions_is_found() throws IOException {
    String directory = System.getProperty("locomo", "");
    if (directory.isEmpty()) {
      System.err.println("LocomoTest is skipped: give the directory of LoCoMo by -Dlocomo=DIR");
    }
    Assumptions.assumeFalse(directory.isEmpty(), "-Dlocomo=DIR is not given");

    List<Question> questions = new ArrayList<>();
    List<Path> files;
    try (Stream<Path> list = Files.list(Path.of(directory))) {
      files = list.filter(file -> file.toString().endsWith(".json")).sorted().toList();
    }
    for (Path file : files) {
      questions.addAll(load(file.getFileName().toString(), file));
    }
    double byText = 0;
    double fused = 0;
    for (Question question : questions) {
      String text = question.text;
      byText +=
          question.recall(
              database
                  .memories()
                  .searchByText(
                      question.project, TextQuery.of(text, 10).withMatch(WordMatch.ANY_WORD))
                  .hits()
                  .stream()
                  .map(TextHit::memory));
      fused +=
          question.recall(
              database
                  .memories()
                  .searchFused(question.project, FusedQuery.of(text, embed(text), 10))
                  .hits()
                  .stream()
                  .map(FusedHit::memory));
    }
    int count = questions.size();
    System.out.printf(
        "LoCoMo, %d questions, recall@10: text %.4f, fused %.4f%n",
        count, byText / count, fused / count);
    assertThat(byText / count).isGreaterThanOrEqualTo(0.62);
    assertThat(fused / count).isGreaterThanOrEqualTo(0.69);
  }

  private List<Question> load(String project, Path file) throws IOException {
    JsonNode conversation = new ObjectMapper().readTree(file.toFile());
    Set<String> turns = new HashSet<>();
    List<NewMemory> memories = new ArrayList<>();
    for (JsonNode session : conversation.get("sessions")) {
      for (JsonNode turn : session.get("turns")) {
        String id = project + "/" + turn.get("dia_id").asText();
        String text = turn.get("speaker").asText() + ": " + turn.get("text").asText();
        if (turns.add(id)) {
          memories.add(Samples.memory(project, text).id(id).embedding(embed(text)).build());
        }
      }
    }
    database.memories().insertAll(memories);
    List<Question> questions = new ArrayList<>();
    for (JsonNode question : conversation.get("qa")) {
      Set<String> evidence = new HashSet<>();
      for (JsonNode turn : question.path("evidence")) {
        String id = project + "/" + turn.asText();
        if (turns.contains(id)) {
          evidence.add(id);
        }
      }
      if (question.get("category").asInt() <= 4 && !evidence.isEmpty()) {
        questions.add(new Question(project, question.get("question").asText(), evidence));
      }
    }
    return questions;
  }
}
