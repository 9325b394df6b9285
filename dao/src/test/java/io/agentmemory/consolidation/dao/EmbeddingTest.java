package io.agentmemory.consolidation.dao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class EmbeddingTest {
  @Test
  void does_not_change_with_the_array_it_was_made_of_or_gave_away() {
    float[] values = {1, 2};
    Embedding embedding = Embedding.of(values);
    values[0] = 5;
    embedding.toArray()[1] = 5;
    assertThat(embedding).isEqualTo(Embedding.of(1, 2)).hasSameHashCodeAs(Embedding.of(1, 2));
    assertThat(embedding).isNotEqualTo(Embedding.of(1, 2, 3)).isNotEqualTo(Embedding.of(2, 1));
  }

  @Test
  void is_made_of_doubles_too() {
    assertThat(Embedding.of(new double[] {0.1, -2})).isEqualTo(Embedding.of(0.1f, -2f));
  }

  @Test
  void compares_directions() {
    Embedding east = Embedding.of(2, 0);
    assertThat(east.cosineSimilarity(Embedding.of(0.5f, 0))).isEqualTo(1);
    assertThat(east.cosineSimilarity(Embedding.of(0, 3))).isZero();
    assertThat(east.cosineSimilarity(Embedding.of(-1, 0))).isEqualTo(-1);
    assertThat(east.cosineSimilarity(Embedding.of(1, 1))).isEqualTo(Math.sqrt(0.5), within(1e-9));
    assertThatThrownBy(() -> east.cosineSimilarity(Embedding.of(1, 2, 3)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("2")
        .hasMessageContaining("3");
  }

  @Test
  void shows_its_size_and_its_beginning() {
    assertThat(Embedding.of(1, 2)).hasToString("Embedding(2)[1.0, 2.0]");
    assertThat(Embedding.of(1, 2, 3, 4, 5)).hasToString("Embedding(5)[1.0, 2.0, 3.0, 4.0, …]");
  }
}
