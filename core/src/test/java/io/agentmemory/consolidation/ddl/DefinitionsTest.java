package io.agentmemory.consolidation.ddl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.List;
import org.junit.jupiter.api.Test;

class DefinitionsTest {
  private static final QualifiedName NOTES = new QualifiedName("public", "notes");
  private static final Column ID = Column.of("id", ColumnType.text()).notNull();

  @Test
  void refusesATableWithoutColumnsOrWithOneTwice() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Table.of(NOTES))
        .withMessage("Table \"public\".\"notes\" has no column");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Table.of(NOTES, ID, ID))
        .withMessageContaining("has the column id twice");
  }

  @Test
  void refusesAPrimaryKeyOverAColumnThatIsNotThere() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Table.of(NOTES, ID).withPrimaryKey("key"))
        .withMessageContaining("names the column key, which it has not");
  }

  @Test
  void refusesTwoConstraintsOfOneName() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Table.of(NOTES, ID).withPrimaryKey("id").withCheck("notes_pkey", "true"))
        .withMessageContaining("has the constraint notes_pkey twice");
  }

  @Test
  void refusesATableWhoseKeyNameWouldBeCut() {
    QualifiedName longest = new QualifiedName("public", "t".repeat(60));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Table.of(longest, ID).withPrimaryKey("id"))
        .withMessageContaining("primary key has 65 bytes");
  }

  @Test
  void refusesADefaultBesideAGenerationExpression() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ID.withDefault("'x'").generatedAs("lower(name)"))
        .withMessageContaining("keep one");
  }

  @Test
  void refusesBlankExpressions() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ID.withDefault(" "))
        .withMessageContaining("default of column id is blank");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Table.of(NOTES, ID).withCheck("notes_check", ""))
        .withMessageContaining("condition of check notes_check");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Index.btree("i", NOTES, "id").where("a\0b"))
        .withMessageContaining("condition of index i");
  }

  @Test
  void refusesTypesThatPostgresDoesNotKnow() {
    assertThatIllegalArgumentException().isThrownBy(() -> ColumnType.varchar(0));
    assertThatIllegalArgumentException().isThrownBy(() -> ColumnType.vector(16_001));
    assertThatIllegalStateException().isThrownBy(() -> ColumnType.text().array().array());
  }

  @Test
  void refusesIndexesThatPostgresCannotBuild() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Index.btree("i", NOTES))
        .withMessage("Index i has no key");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Index.gin("i", NOTES, "tags").asUnique())
        .withMessageContaining("Only a b-tree");
    Index hnsw = Index.hnsw("i", NOTES, "embedding", "vector_cosine_ops");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> hnsw.withKeys(IndexKey.column("embedding")))
        .withMessageContaining("vector_cosine_ops");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> hnsw.withKeys(hnsw.keys().get(0), hnsw.keys().get(0)))
        .withMessageContaining("one key");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> hnsw.with("m = 1; drop", 1))
        .withMessageContaining("a-z and _ alone");
  }

  @Test
  void refusesAChangeWithoutColumnsOrWithOneTwice() {
    assertThatIllegalArgumentException().isThrownBy(() -> Change.add(NOTES));
    assertThatIllegalArgumentException().isThrownBy(() -> Change.drop(NOTES, ID, ID));
  }

  @Test
  void takesEveryChangeBackByItsInverse() {
    Table table = Table.of(NOTES, ID);
    Index index = Index.btree("i", NOTES, "id");
    for (Change change :
        List.of(Change.create(table), Change.create(index), Change.add(NOTES, ID))) {
      assertThat(change.additive()).isTrue();
      assertThat(change.hazards()).isEmpty();
      assertThat(change.inverse().additive()).isFalse();
      assertThat(change.inverse()).isNotEqualTo(change);
      assertThat(change.inverse().inverse()).isEqualTo(change);
      assertThat(change.inverse().target()).isEqualTo(NOTES);
    }
  }

  @Test
  void declaresThatTablesAndColumnsGoWithTheirData() {
    assertThat(Change.drop(Table.of(NOTES, ID)).hazards()).containsExactly(Hazard.DELETES_DATA);
    assertThat(Change.drop(NOTES, ID).hazards()).containsExactly(Hazard.DELETES_DATA);
    assertThat(Change.drop(Index.btree("i", NOTES, "id")).hazards()).isEmpty();
  }
}
