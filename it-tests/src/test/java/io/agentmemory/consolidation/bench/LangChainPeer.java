package io.agentmemory.consolidation.bench;

import static dev.langchain4j.store.embedding.filter.MetadataFilterBuilder.metadataKey;

import dev.langchain4j.data.document.Metadata;
import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.store.embedding.EmbeddingMatch;
import dev.langchain4j.store.embedding.EmbeddingSearchRequest;
import dev.langchain4j.store.embedding.pgvector.DefaultMetadataStorageConfig;
import dev.langchain4j.store.embedding.pgvector.MetadataStorageConfig;
import dev.langchain4j.store.embedding.pgvector.MetadataStorageMode;
import dev.langchain4j.store.embedding.pgvector.PgVectorEmbeddingStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;

/** LangChain4j's store, with an application's pool. */
final class LangChainPeer implements Peer {
  static final MetadataStorageConfig JSON = DefaultMetadataStorageConfig.defaultConfig();

  /** The project in a column with an index: what serves a search by project best. */
  static final MetadataStorageConfig COLUMNS =
      DefaultMetadataStorageConfig.builder()
          .storageMode(MetadataStorageMode.COLUMN_PER_KEY)
          .columnDefinitions(List.of("project varchar"))
          .indexes(List.of("project"))
          .indexType("BTREE")
          .build();

  private static final int BATCH = 1_000;
  private static final String PROJECT = "project";

  private final String name;
  private final String table;
  private final PgVectorEmbeddingStore store;

  LangChainPeer(String name, DataSource pool, String table, MetadataStorageConfig metadata) {
    this.name = name;
    this.table = table;
    this.store =
        PgVectorEmbeddingStore.datasourceBuilder()
            .datasource(pool)
            .table(table)
            .dimension(VectorCache.DIMENSIONS)
            .metadataStorageConfig(metadata)
            .build();
  }

  /** Lets the store make its own index, on rows that are there. */
  static void buildIvfFlat(DataSource pool, String table, int lists) {
    PgVectorEmbeddingStore.datasourceBuilder()
        .datasource(pool)
        .table(table)
        .dimension(VectorCache.DIMENSIONS)
        .metadataStorageConfig(COLUMNS)
        .useIndex(true)
        .indexListSize(lists)
        .build();
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String table() {
    return table;
  }

  @Override
  public void insert(DataSet data, int from, int to) {
    for (int begin = from; begin < to; begin += BATCH) {
      List<String> ids = new ArrayList<>();
      List<Embedding> embeddings = new ArrayList<>();
      List<TextSegment> segments = new ArrayList<>();
      for (int row = begin; row < Math.min(to, begin + BATCH); row++) {
        ids.add(DataSet.id(row).toString());
        embeddings.add(Embedding.from(data.vector(row)));
        Metadata metadata = Metadata.from(PROJECT, DataSet.projectId(data.projectOf(row)));
        segments.add(TextSegment.from(data.content(row), metadata));
      }
      store.addAll(ids, embeddings, segments);
    }
  }

  @Override
  public Contender search(Optional<String> project) {
    return new Contender() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public List<String> ask(Question question) {
        EmbeddingSearchRequest.EmbeddingSearchRequestBuilder request =
            EmbeddingSearchRequest.builder()
                .queryEmbedding(Embedding.from(question.vector()))
                .maxResults(Settings.K);
        project.ifPresent(id -> request.filter(metadataKey(PROJECT).isEqualTo(id)));
        return store.search(request.build()).matches().stream()
            .map(EmbeddingMatch::embeddingId)
            .toList();
      }
    };
  }
}
