package io.agentmemory.consolidation.dao;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class WordWeightTest {
  @Test
  void words_are_quoted_as_queries_and_these_as_elements_of_an_array() {
    assertThat(
            WordWeight.array(
                List.of(
                    WordWeight.of("plain", 1, 10),
                    WordWeight.of("it's", 1, 10),
                    WordWeight.of("a\\b", 1, 10),
                    WordWeight.of("a\",{b}", 1, 10))))
        .isEqualTo("{\"'plain'\",\"'it''s'\",\"'a\\\\\\\\b'\",\"'a\\\",{b}'\"}");
    assertThat(WordWeight.array(List.of())).isEqualTo("{}");
  }
}
