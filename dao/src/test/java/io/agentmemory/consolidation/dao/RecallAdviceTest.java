package io.agentmemory.consolidation.dao;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.schema.SchemaOptions;
import io.agentmemory.consolidation.schema.SchemaState;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RecallAdviceTest {
  @Test
  void the_index_to_be_built_anew_is_named_with_its_schema() {
    Duration time = Duration.ofMillis(1);
    RecallRow low =
        new RecallRow(
            ProjectSize.UP_TO_10_000,
            1,
            10,
            null,
            0.5,
            10,
            10,
            time,
            time,
            time,
            time,
            Set.of(SearchStrategy.HNSW_BY_PROJECT));
    SchemaOptions options = SchemaOptions.builder().schema("Team A").build();
    SchemaState state = new SchemaState(Set.of(), "public", "0.8.4", 150_000);
    assertThat(new RecallAdvice(List.of(low), state, options).lines())
        .anyMatch(
            line ->
                line.endsWith(
                    "REINDEX INDEX CONCURRENTLY \"Team A\".\"idx_cm_embedding_project\""));
  }
}
