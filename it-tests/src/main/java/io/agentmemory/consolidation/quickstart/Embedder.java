package io.agentmemory.consolidation.quickstart;

import dev.langchain4j.model.embedding.onnx.allminilml6v2q.AllMiniLmL6V2QuantizedEmbeddingModel;
import io.agentmemory.consolidation.dao.Embedding;
import java.util.ArrayList;
import java.util.List;
import me.tongfei.progressbar.ProgressBar;

/** The model all-MiniLM-L6-v2, on the CPU, from the class path: nothing is sent anywhere. */
final class Embedder {
  static final String NAME = "all-MiniLM-L6-v2";
  static final int DIMENSIONS = 384;

  private final AllMiniLmL6V2QuantizedEmbeddingModel model =
      new AllMiniLmL6V2QuantizedEmbeddingModel();
  private final Screen screen;

  Embedder(Screen screen) {
    this.screen = screen;
  }

  Embedding embed(String text) {
    return Embedding.of(model.embed(text).content().vector());
  }

  /** The texts' embeddings in the same order; a bar shows how far it is. */
  List<Embedding> embed(String task, List<String> texts) {
    List<Embedding> embeddings = new ArrayList<>(texts.size());
    try (ProgressBar bar = screen.progress(task, texts.size())) {
      for (String text : texts) {
        embeddings.add(embed(text));
        bar.step();
      }
    }
    return embeddings;
  }
}
