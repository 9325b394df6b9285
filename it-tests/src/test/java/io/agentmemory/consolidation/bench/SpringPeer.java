package io.agentmemory.consolidation.bench;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.Embedding;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.embedding.EmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.vectorstore.SearchRequest;
import org.springframework.ai.vectorstore.filter.FilterExpressionBuilder;
import org.springframework.ai.vectorstore.pgvector.PgVectorStore;
import org.springframework.jdbc.core.JdbcTemplate;

/**
 * Spring AI's store, with an application's pool; embeddings are looked up, so they cost nothing.
 */
final class SpringPeer implements Peer {
  private static final int BATCH = 1_000;
  private static final String PROJECT = "project";

  private final String table;
  private final KnownEmbeddings model = new KnownEmbeddings();
  private final PgVectorStore store;

  SpringPeer(DataSource pool, String table, boolean withIndex, List<Question> questions) {
    this.table = table;
    questions.forEach(question -> model.vectors.put(question.text(), question.vector()));
    store =
        PgVectorStore.builder(new JdbcTemplate(pool), model)
            .vectorTableName(table)
            .dimensions(VectorCache.DIMENSIONS)
            .distanceType(PgVectorStore.PgDistanceType.COSINE_DISTANCE)
            .indexType(withIndex ? PgVectorStore.PgIndexType.HNSW : PgVectorStore.PgIndexType.NONE)
            .initializeSchema(true)
            .build();
    store.afterPropertiesSet();
  }

  /** The vectors of the texts that the benchmark uses. */
  private static final class KnownEmbeddings implements EmbeddingModel {
    private final Map<String, float[]> vectors = new HashMap<>();

    @Override
    public EmbeddingResponse call(EmbeddingRequest request) {
      List<Embedding> embeddings = new ArrayList<>();
      for (String text : request.getInstructions()) {
        embeddings.add(new Embedding(vectors.get(text), embeddings.size()));
      }
      return new EmbeddingResponse(embeddings);
    }

    @Override
    public float[] embed(Document document) {
      return vectors.get(document.getText());
    }

    @Override
    public float[] embed(String text) {
      return vectors.get(text);
    }

    @Override
    public int dimensions() {
      return VectorCache.DIMENSIONS;
    }
  }

  @Override
  public String name() {
    return "Spring AI";
  }

  @Override
  public String table() {
    return table;
  }

  /** Makes the vectors of rows known, which no time should be counted for. */
  void prepare(DataSet data, int from, int to) {
    for (int row = from; row < to; row++) {
      model.vectors.put(data.content(row), data.vector(row));
    }
  }

  @Override
  public void insert(DataSet data, int from, int to) {
    for (int begin = from; begin < to; begin += BATCH) {
      List<Document> documents = new ArrayList<>();
      for (int row = begin; row < Math.min(to, begin + BATCH); row++) {
        documents.add(
            new Document(
                DataSet.id(row).toString(),
                data.content(row),
                Map.of(PROJECT, DataSet.projectId(data.projectOf(row)))));
      }
      store.add(documents);
    }
  }

  @Override
  public Contender search(Optional<String> project) {
    return new Contender() {
      @Override
      public String name() {
        return SpringPeer.this.name();
      }

      @Override
      public List<String> ask(Question question) {
        SearchRequest.Builder request =
            SearchRequest.builder().query(question.text()).topK(Settings.K);
        project.ifPresent(
            id -> request.filterExpression(new FilterExpressionBuilder().eq(PROJECT, id).build()));
        return store.similaritySearch(request.build()).stream().map(Document::getId).toList();
      }
    };
  }
}
