package io.agentmemory.consolidation.ddl;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.Golden;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class RendererTest {
  private static final Renderer RENDERER = Renderer.withExtensionIn("ext");
  private static final QualifiedName NOTES = new QualifiedName("My \"App\"", "notes");

  private static final Column FLAG =
      Column.of("seen", ColumnType.bool()).notNull().withDefault("false");

  private static Table everyType() {
    return Table.of(
            NOTES,
            Column.of("id", ColumnType.varchar()).notNull(),
            Column.of("part", ColumnType.varchar(50)).notNull(),
            Column.of("body", ColumnType.text()).withDefault("'it''s'"),
            Column.of("level", ColumnType.integer()).notNull().withDefault("0"),
            Column.of("score", ColumnType.doublePrecision()),
            Column.of("done", ColumnType.bool()),
            Column.of("made_at", ColumnType.timestamptz()).notNull().withDefault("now()"),
            Column.of("extra", ColumnType.jsonb()).withDefault("'{}'"),
            Column.of("tags", ColumnType.varchar(50).array()),
            Column.of("scores", ColumnType.doublePrecision().array()),
            Column.of("near", ColumnType.vector(384)),
            Column.of("far", ColumnType.halfvec(3072)),
            Column.of("words", ColumnType.tsvector())
                .generatedAs("to_tsvector('pg_catalog.english', body)"))
        .withPrimaryKey("id", "part")
        .withCheck("notes_level_check", "level BETWEEN 0 AND 9");
  }

  @Test
  void rendersEveryKindOfChange() {
    IndexKey lowered = IndexKey.expression("lower(body)").withOperatorClass("text_pattern_ops");
    List<Change> changes =
        List.of(
            Change.create(everyType()),
            Change.add(NOTES, FLAG, Column.of("note", ColumnType.text())),
            Change.create(
                Index.btree("notes_latest", NOTES, "level")
                    .withKeys(
                        IndexKey.column("level"), IndexKey.column("made_at").inDescendingOrder())
                    .asUnique()
                    .where("done")),
            Change.create(Index.btree("notes_body", NOTES, "body").withKeys(lowered)),
            Change.create(Index.gin("notes_tags", NOTES, "tags").with("fastupdate", 0)),
            Change.create(
                Index.btree("notes_cover", NOTES, "part").including("id", "near").where("done")),
            Change.create(
                Index.hnsw("notes_code", NOTES, "near", "vector_ip_ops")
                    .withKeys(
                        IndexKey.expression("{extension}.l2_normalize(near)")
                            .withOperatorClass("vector_ip_ops"))),
            Change.create(
                Index.hnsw("notes_near", NOTES, "near", "vector_cosine_ops")
                    .with("m", 24)
                    .with("ef_construction", 200)
                    .where("near IS NOT NULL")),
            Change.create(new Policy("notes \"mine\"", NOTES, "part = current_user")),
            Change.enableRowSecurity(NOTES));
    String sql =
        changes.stream()
            .flatMap(change -> List.of(change, change.inverse()).stream())
            .map(RENDERER::render)
            .map(statement -> "-- " + statement.name() + "\n" + statement.sql() + ";\n")
            .collect(Collectors.joining("\n"));
    Golden.assertEqual("renderer.sql", sql);
  }

  @Test
  void findsDataByTheConditionThatThePartialIndexesHave() {
    assertThat(
            RENDERER.deletesData(
                Change.drop(
                    NOTES,
                    FLAG,
                    Column.of("note", ColumnType.text()),
                    Column.of("level", ColumnType.integer()).withDefault("0"))))
        .isEqualTo(
            """
            EXISTS (SELECT FROM "My ""App""\"."notes" WHERE "seen" = true)
              OR EXISTS (SELECT FROM "My ""App""\"."notes" WHERE "note" IS NOT NULL)
              OR EXISTS (SELECT FROM "My ""App""\"."notes" WHERE "level" IS DISTINCT FROM 0)""");
  }

  @Test
  void findsNoDataInGeneratedColumnsOrIndexes() {
    Column generated = Column.of("words", ColumnType.tsvector()).generatedAs("to_tsvector(body)");
    assertThat(RENDERER.deletesData(Change.drop(NOTES, generated))).isNull();
    assertThat(RENDERER.deletesData(Change.drop(Index.btree("i", NOTES, "id")))).isNull();
    assertThat(RENDERER.deletesData(Change.add(NOTES, FLAG))).isNull();
  }
}
