package io.agentmemory.consolidation.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Real sentences with their embeddings, and further ones, held out, to ask with. */
final class Corpus {
  private static final String TEXTS = "sentences.txt";
  private static final String VECTORS = "vectors.f32";

  private final List<String> sentences;
  private final float[][] vectors;
  private final List<Question> questions;

  private Corpus(List<String> sentences, float[][] vectors, List<Question> questions) {
    this.sentences = sentences;
    this.vectors = vectors;
    this.questions = questions;
  }

  static Corpus load(Settings settings, Log log) throws Exception {
    int wanted = settings.rows() + settings.questions();
    VectorCache cache = new VectorCache(settings.vectors(), log);
    List<String> kept = cache.texts(TEXTS);
    List<String> sentences =
        settings.sentences().isEmpty() && kept.size() >= wanted
            ? kept.subList(0, wanted)
            : Sentences.read(settings.sentences(), wanted);
    int rows = sentences.size() - settings.questions();
    if (rows < settings.rows()) {
      log.say("there are only " + sentences.size() + " sentences, not " + wanted);
    }
    if (rows < 1_000) {
      throw new IllegalStateException(
          "%d sentences are too few; give a file of at least %d by -Dsentences=FILE"
              .formatted(sentences.size(), wanted));
    }
    float[][] vectors = cache.embed(TEXTS, VECTORS, sentences);
    List<Question> questions = new ArrayList<>();
    for (int i = 0; i < settings.questions(); i++) {
      questions.add(new Question(i, asked(sentences.get(rows + i)), vectors[rows + i]));
    }
    return new Corpus(List.copyOf(sentences.subList(0, rows)), vectors, questions);
  }

  private static String asked(String sentence) {
    return "Which package offers "
        + sentence.substring(0, 1).toLowerCase(Locale.ROOT)
        + sentence.substring(1)
        + "?";
  }

  int size() {
    return sentences.size();
  }

  String sentence(int number) {
    return sentences.get(number);
  }

  /** Not to be changed. */
  float[] vector(int number) {
    return vectors[number];
  }

  List<Question> questions() {
    return questions;
  }
}
