package io.agentmemory.consolidation.it.schema;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.ddl.QualifiedName;
import io.agentmemory.consolidation.it.postgres.EmptyDatabase;
import io.agentmemory.consolidation.schema.HostTable;
import io.agentmemory.consolidation.schema.Schema;
import io.agentmemory.consolidation.schema.SchemaOptions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The revision consolidation_003. */
class ReadingIndexesTest {
  private static final String BY_TIME =
      "CREATE INDEX %s ON public.%s USING btree (project_id, created_at, id)";
  private static final String UNCONSOLIDATED =
      "CREATE INDEX idx_tm_unconsolidated ON public.task_memories USING btree (%s)"
          + " WHERE (is_consolidated = false)";

  @RegisterExtension private final EmptyDatabase database = new EmptyDatabase();

  private List<String> indexes() {
    return Sql.rows(
        database.dataSource(),
        """
        SELECT pg_get_indexdef(indexrelid) FROM pg_index
        WHERE indexrelid::regclass::text
          IN ('idx_cj_project_created', 'idx_cm_project_created', 'idx_tm_unconsolidated')
        ORDER BY indexrelid::regclass::text
        """);
  }

  private String unconsolidated() {
    return indexes().get(2);
  }

  @Test
  void addsThreeIndexesAndTakesThemBack() {
    Schema schema = Schema.on(database.dataSource());
    schema.upgradeTo("consolidation_002");
    String before = database.dumpSchema();
    assertThat(schema.upgradeTo("consolidation_003").applied())
        .containsExactly("consolidation_003");
    assertThat(indexes())
        .containsExactly(
            BY_TIME.formatted("idx_cj_project_created", "consolidation_jobs"),
            BY_TIME.formatted("idx_cm_project_created", "consolidated_memories"),
            UNCONSOLIDATED.formatted("((project_id)::text), id"));
    assertThat(schema.verify()).isEmpty();
    assertThat(schema.downgrade().undone()).containsExactly("consolidation_003");
    assertThat(database.dumpSchema()).isEqualTo(before);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      textBlock =
          """
          project          ; ((project)::text), key
          "Tenant of it"   ; (("Tenant of it")::text), key
          lower(project::text) ; key
          $$the only one$$ ; key
          current_user     ; key
          """)
  void keepsTheProjectsOfAnAdoptedTableApartWhereTheyAreAColumn(String project, String keys) {
    Sql.run(
        database.dataSource(),
        "CREATE TABLE task_memories (key text PRIMARY KEY, project uuid, \"Tenant of it\" integer)");
    HostTable host =
        HostTable.existing(new QualifiedName("public", "task_memories"))
            .withIdColumn("key")
            .withProject(project);
    Schema schema =
        Schema.on(database.dataSource(), SchemaOptions.builder().hostTable(host).build());
    schema.upgrade();
    assertThat(unconsolidated()).isEqualTo(UNCONSOLIDATED.formatted(keys));
    assertThat(schema.verify()).isEmpty();
  }

  @Test
  void asksNothingOfAnAdoptedTableThatTheDefaultMappingMayNotFit() {
    Sql.run(database.dataSource(), "CREATE TABLE task_memories (id text PRIMARY KEY)");
    Schema schema = Schema.on(database.dataSource());
    schema.upgrade();
    assertThat(unconsolidated()).isEqualTo(UNCONSOLIDATED.formatted("id"));
    assertThat(schema.verify()).isEmpty();
  }
}
