package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.schema.DowngradeResult;
import io.agentmemory.consolidation.schema.HnswParameters;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What stands in the catalog, compared with what was copied by hand from the specification and its
 * corrections.
 */
class CatalogTest {
  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();

  @ParameterizedTest
  @CsvSource({
    "public, 384, vector",
    "public, 1536, vector",
    "public, 3072, halfvec",
    "Memory \"Banks\", 384, vector",
    "Memory \"Banks\", 1536, vector",
    "Memory \"Banks\", 3072, halfvec",
  })
  void isTheOrdersAndTheDumpIsAsBeforeAfterTheWayBack(
      String schema, int dimensions, String vectorType) throws IOException {
    Sql.run(database.dataSource(), "CREATE EXTENSION vector WITH SCHEMA public");
    String before = database.dumpSchema();
    SchemaOptions options = SchemaOptions.builder().schema(schema).dimensions(dimensions).build();
    Schema ours = Schema.on(database.dataSource(), options);

    assertThat(ours.upgradeTo("consolidation_001").applied())
        .containsExactly("task_memories_001", "consolidation_001");

    String quoted = schema.equals("public") ? schema : "\"Memory \"\"Banks\"\"\"";
    assertThat(catalog(schema))
        .containsExactly(
            resource("consolidation_001.catalog")
                .replace("{schema}", quoted)
                .replace("{embedding}", vectorType + "(" + dimensions + ")")
                .replace("{cosine}", vectorType + "_cosine_ops")
                .split("\n"));
    assertThat(ours.verify()).isEmpty();

    DowngradeResult down = ours.downgradeToNothing();
    assertThat(down.undone()).containsExactly("consolidation_001", "task_memories_001");
    assertThat(down.notes()).singleElement().asString().contains("The extension vector", "stays");
    assertThat(database.dumpSchema()).isEqualTo(before);
  }

  @Test
  void leavesTheHostsTableAsItWasAfterOneRevisionBack() {
    Schema ours = Schema.on(database.dataSource());
    ours.upgradeTo("task_memories_001");
    String before = database.dumpSchema();
    ours.upgradeTo("consolidation_001");
    assertThat(ours.downgrade().undone()).containsExactly("consolidation_001");
    assertThat(database.dumpSchema()).isEqualTo(before);
    ours.upgrade();
    assertThat(ours.downgradeTo("task_memories_001").undone()).endsWith("consolidation_001");
    assertThat(database.dumpSchema()).isEqualTo(before);
  }

  @Test
  void hasTheHnswParametersThatWereAskedFor() {
    Schema ours =
        Schema.on(
            database.dataSource(),
            SchemaOptions.builder().hnsw(new HnswParameters(24, 200)).build());
    ours.upgrade();
    assertThat(
            Sql.rows(
                database.dataSource(),
                "SELECT pg_get_indexdef('public.idx_cm_embedding'::regclass)"))
        .containsExactly(
            "CREATE INDEX idx_cm_embedding ON public.consolidated_memories USING hnsw (embedding"
                + " vector_cosine_ops) WITH (ef_construction='200', m='24') WHERE (embedding IS NOT"
                + " NULL)");
    assertThat(ours.verify()).isEmpty();
  }

  @Test
  void refuses5000DimensionsBeforeAnySql() {
    RecordingDataSource recording = new RecordingDataSource(database.dataSource());
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                Schema.on(recording.dataSource(), SchemaOptions.builder().dimensions(5000).build())
                    .upgrade())
        .withMessageContaining("5000 dimensions cannot be indexed");
    assertThat(recording.statements()).isEmpty();
  }

  private List<String> catalog(String schema) throws IOException {
    return Sql.rows(
        database.dataSource(),
        resource("catalog.sql").replace("{schema}", schema.replace("'", "''")));
  }

  private static String resource(String name) throws IOException {
    try (InputStream in = CatalogTest.class.getResourceAsStream(name)) {
      assertThat(in).as(name).isNotNull();
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
