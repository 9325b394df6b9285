package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaOptions;
import io.agentmemory.consolidation.schema.VectorType;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The revision consolidation_002. */
class SearchIndexesTest {
  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();

  private Schema schema(int dimensions, VectorType type) {
    return Schema.on(
        database.dataSource(),
        SchemaOptions.builder().dimensions(dimensions).vectorType(type).build());
  }

  private List<String> indexes() {
    return Sql.rows(
        database.dataSource(),
        """
        SELECT pg_get_indexdef(indexrelid) FROM pg_index
        WHERE indexrelid::regclass::text IN ('idx_cm_embedding_project', 'idx_cm_project_cover')
        ORDER BY indexrelid::regclass::text
        """);
  }

  @ParameterizedTest
  @CsvSource({
    "384, VECTOR, l2_normalize(embedding), true",
    "384, HALFVEC, (l2_normalize(embedding))::vector, true",
    "406, VECTOR, l2_normalize(embedding), true",
    "407, VECTOR, l2_normalize(embedding), false",
    "812, HALFVEC, (l2_normalize(embedding))::vector, true",
    "813, HALFVEC, (l2_normalize(embedding))::vector, false",
    "3984, HALFVEC, (l2_normalize(embedding))::vector, false",
  })
  void addsWhatTheDimensionsAllowAndNothingElse(
      int dimensions, VectorType type, String embedding, boolean covered) {
    Schema schema = schema(dimensions, type);
    schema.upgradeTo("consolidation_001");
    String before = database.dumpSchema();
    assertThat(schema.upgradeTo("consolidation_002").applied())
        .containsExactly("consolidation_002");

    String hashes =
        IntStream.rangeClosed(1, 15)
            .mapToObj("(hashtextextended((project_id)::text, (%d)::bigint))::real"::formatted)
            .collect(Collectors.joining(", "));
    String coded =
        "CREATE INDEX idx_cm_embedding_project ON public.consolidated_memories USING hnsw ((((%s ||"
            + " l2_normalize((ARRAY['3e+19'::real, %s])::vector)))::halfvec(%d)) halfvec_ip_ops)"
            + " WITH (ef_construction='256', m='16') WHERE (embedding IS NOT NULL)";
    String cover =
        "CREATE INDEX idx_cm_project_cover ON public.consolidated_memories USING btree (project_id,"
            + " memory_type) INCLUDE (id, embedding, abstraction_level, consolidated_at)"
            + " WHERE (embedding IS NOT NULL)";
    coded = coded.formatted(embedding, hashes, dimensions + 16);
    assertThat(indexes()).isEqualTo(covered ? List.of(coded, cover) : List.of(coded));
    assertThat(schema.verify()).isEmpty();

    assertThat(schema.downgrade().undone()).containsExactly("consolidation_002");
    assertThat(database.dumpSchema()).isEqualTo(before);
  }

  @Test
  void addsNothingWhereACodeNoLongerFits() {
    Schema schema = schema(3985, VectorType.HALFVEC);
    schema.upgrade();
    assertThat(indexes()).isEmpty();
    assertThat(schema.verify()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"406, VECTOR", "812, HALFVEC"})
  void holdTheLongestIdsOfTheMostDimensionsAndNotOneByteMore(int dimensions, VectorType type) {
    schema(dimensions, type).upgrade();
    Sql.run(database.dataSource(), insert(512, dimensions));
    assertThatExceptionOfType(AssertionError.class)
        .isThrownBy(() -> Sql.run(database.dataSource(), insert(513, dimensions)))
        .withMessageContaining("idx_cm_project_cover");
  }

  /** Hexadecimal digests, since what repeats would be compressed. */
  private static String insert(int idBytes, int dimensions) {
    return """
        INSERT INTO consolidated_memories (id, project_id, content, memory_type, abstraction_level,
          source_memory_ids, embedding, created_at, updated_at, consolidated_at, source_count)
        SELECT substr(string_agg(encode(sha512(i::text::bytea), 'base64'), '' ORDER BY i), 1, %d),
          substr(string_agg(encode(sha512(i::text::bytea), 'base64'), '' ORDER BY -i), 1, 512),
          'x', 'codebase_knowledge', 1, '{}', (SELECT array_agg(sin(n)) FROM generate_series(1, %d) n),
          now(), now(), now(), 0
        FROM generate_series(1, 20) AS i
        """
        .formatted(idBytes, dimensions);
  }
}
