package io.agentmemory.consolidation.it.dao;

import static io.agentmemory.consolidation.it.dao.Samples.embedding;
import static io.agentmemory.consolidation.it.dao.Samples.memory;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.agentmemory.consolidation.dao.BatchQuery;
import io.agentmemory.consolidation.dao.ConsolidatedMemory;
import io.agentmemory.consolidation.dao.ConsolidatedMemoryDao;
import io.agentmemory.consolidation.dao.Embedding;
import io.agentmemory.consolidation.dao.FusedQuery;
import io.agentmemory.consolidation.dao.LoadOptions;
import io.agentmemory.consolidation.dao.MemoryFilter;
import io.agentmemory.consolidation.dao.MemoryUpdate;
import io.agentmemory.consolidation.dao.OnConflict;
import io.agentmemory.consolidation.dao.OnLineage;
import io.agentmemory.consolidation.dao.PageRequest;
import io.agentmemory.consolidation.dao.PairQuery;
import io.agentmemory.consolidation.dao.TextQuery;
import io.agentmemory.consolidation.dao.VectorQuery;
import io.agentmemory.consolidation.schema.SchemaMismatchException;
import io.agentmemory.consolidation.schema.SchemaOptions;
import io.agentmemory.consolidation.schema.VectorType;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Everything works wherever the tables and the extension are, and however vectors are stored. */
class SchemaVariantsTest {
  @RegisterExtension
  final TestDatabase elsewhere =
      TestDatabase.with(SchemaOptions.builder().dimensions(8).schema("a \"b\" C:d?").build())
          .after(
              """
              create schema "Ex t";
              create extension vector schema "Ex t";
              """);

  @RegisterExtension
  final TestDatabase half =
      TestDatabase.with(
          SchemaOptions.builder().dimensions(8).vectorType(VectorType.HALFVEC).build());

  @RegisterExtension final TestDatabase large = TestDatabase.withDimensions(3072);

  @RegisterExtension
  final TestDatabase configured =
      TestDatabase.with(
              SchemaOptions.builder()
                  .dimensions(8)
                  .textSearchConfiguration("public.my_words")
                  .build())
          .after("create text search configuration public.my_words (copy = pg_catalog.german)");

  /** Goes through every method once. */
  private static void useEverything(TestDatabase database, Embedding near) {
    ConsolidatedMemoryDao memories = database.memories().withEmbeddings();
    int dimensions = database.options().dimensions();
    ConsolidatedMemory first =
        memories.insert(memory("p", "green apples").id("first").embedding(near).build());
    memories.insertAll(
        List.of(
            memory("p", "red apples").id("second").embedding(embedding(dimensions, 2)).build(),
            memory("p", "pears").id("third").sourceMemoryIds(List.of("first")).build()));

    assertThat(memories.find("p", "first").orElseThrow().embedding()).isEqualTo(near);
    assertThat(memories.findAll("p", List.of("third", "first"))).hasSize(2);
    assertThat(memories.list("p", MemoryFilter.none(), PageRequest.first(2)).items()).hasSize(2);
    var hits = memories.searchByVector("p", VectorQuery.of(near, 2)).hits();
    assertThat(hits.get(0).memory().id()).isEqualTo("first");
    assertThat(hits.get(0).distance()).isEqualTo(0, within(1e-5));
    assertThat(hits.get(1).similarity())
        .isEqualTo(near.cosineSimilarity(embedding(dimensions, 2)), within(2e-3));
    assertThat(
            memories.searchByVectors("p", List.of(near, near), BatchQuery.of(2)).stream()
                .map(result -> result.hits()))
        .containsExactly(hits, hits);
    double similarity = hits.get(1).similarity();
    assertThat(memories.neighbours("p", List.of("first"), BatchQuery.of(2)).get("first").hits())
        .singleElement()
        .satisfies(n -> assertThat(n.similarity()).isEqualTo(similarity, within(1e-5)));
    for (PairQuery query : List.of(PairQuery.of(-0.99), PairQuery.of(-0.99).exactly())) {
      assertThat(memories.similarPairs("p", query, PageRequest.first(10)).pairs())
          .singleElement()
          .satisfies(pair -> assertThat(pair.similarity()).isEqualTo(similarity, within(1e-5)));
    }
    assertThat(memories.searchByText("p", TextQuery.of("apples", 10)).hits()).hasSize(2);
    assertThat(memories.searchFused("p", FusedQuery.of("red apples", near, 10)).hits()).hasSize(2);
    assertThat(memories.sourcesOf("p", "third", 2).steps()).hasSize(1);
    assertThat(memories.descendantsOf("p", "first", 2).steps()).hasSize(1);
    assertThat(
            memories.update(
                "p",
                "first",
                MemoryUpdate.builder().content("yellow", embedding(dimensions, 3)).build(),
                first.updatedAt()))
        .isPresent();
    assertThat(memories.countReuse("p", List.of("first"))).isEqualTo(1);
    assertThat(memories.delete("p", "first", OnLineage.DETACH)).isTrue();
    assertThat(memories.find("p", "third").orElseThrow().sourceCount()).isZero();
    assertThat(memories.deleteProject("p", 1)).isEqualTo(2);
    for (OnConflict onConflict : OnConflict.values()) {
      memories.load(
          List.of(memory("q", "x").id(onConflict.name()).embedding(near).build()).iterator(),
          LoadOptions.defaults().on(onConflict));
      assertThat(memories.find("q", onConflict.name()).orElseThrow().embedding()).isEqualTo(near);
    }
  }

  @Test
  void tables_and_extension_in_schemas_with_odd_names_off_the_search_path() {
    useEverything(elsewhere, embedding(8, 1));
  }

  @Test
  void half_precision() {
    useEverything(half, Embedding.of(1, 0.5f, -2, 0, 65504, 6.1035156e-5f, 5.9604645e-8f, 0.25f));
  }

  @Test
  void as_many_dimensions_as_only_half_precision_can_index() {
    float[] near = new float[3072];
    for (int i = 0; i < near.length; i++) {
      near[i] = (i % 7 - 3) / 4f;
    }
    useEverything(large, Embedding.of(near));
  }

  @Test
  void a_text_search_configuration_of_the_applications() {
    useEverything(configured, embedding(8, 1));
    configured.memories().insert(memory("p", "die schnellen Häuser").build());
    assertThat(configured.memories().searchByText("p", TextQuery.of("schnelles Haus", 1)).hits())
        .hasSize(1);
    assertThat(configured.memories().searchByText("p", TextQuery.of("die", 1)).onlyStopWords())
        .isTrue();
  }

  @Test
  void options_that_do_not_fit_the_database_are_told_at_the_first_use() {
    var other =
        io.agentmemory.consolidation.dao.Consolidation.on(
            half.pool(), SchemaOptions.builder().dimensions(9).build());
    assertThatThrownBy(() -> other.memories().find("p", "x"))
        .isInstanceOf(SchemaMismatchException.class)
        .hasMessageContaining("8")
        .hasMessageContaining("9");
  }
}
