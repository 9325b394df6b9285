package io.agentmemory.consolidation.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.agentmemory.consolidation.ddl.QualifiedName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SchemaOptionsTest {
  @Test
  void defaultsAreThoseOfTheOrder() {
    SchemaOptions options = SchemaOptions.defaults();
    assertThat(options.schema()).isEqualTo("public");
    assertThat(options.dimensions()).isEqualTo(1536);
    assertThat(options.vectorType()).isEqualTo(VectorType.VECTOR);
    assertThat(options.hnsw()).isEqualTo(new HnswParameters(16, 64));
    assertThat(options.textSearchConfiguration()).isEqualTo("english");
    assertThat(options.hostTable()).isEqualTo(HostTable.created("public"));
  }

  @ParameterizedTest
  @CsvSource({"1, VECTOR", "2000, VECTOR", "2001, HALFVEC", "3072, HALFVEC", "4000, HALFVEC"})
  void chooseTheVectorTypeByTheDimensions(int dimensions, VectorType type) {
    assertThat(SchemaOptions.builder().dimensions(dimensions).build().vectorType()).isEqualTo(type);
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 4001, 5000})
  void refuseDimensionsThatCannotBeIndexed(int dimensions) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SchemaOptions.builder().dimensions(dimensions).build())
        .withMessageContaining("An embedding of " + dimensions + " dimensions cannot be indexed")
        .withMessageContaining("4000 of halfvec");
  }

  @Test
  void refuseATypeTooSmallForTheDimensions() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> SchemaOptions.builder().dimensions(3072).vectorType(VectorType.VECTOR).build())
        .withMessageContaining("at most 2000 dimensions of vector, not 3072");
  }

  @ParameterizedTest
  @CsvSource({"1, 64", "101, 400", "16, 31", "16, 1001", "2, 3"})
  void refuseHnswParametersThatPgvectorRefuses(int m, int efConstruction) {
    assertThatIllegalArgumentException().isThrownBy(() -> new HnswParameters(m, efConstruction));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "english'", "a.b.c", "1st", "en glish", "english;"})
  void refuseAnOddTextSearchConfiguration(String configuration) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SchemaOptions.builder().textSearchConfiguration(configuration))
        .withMessageContaining("Not the name of a text search configuration");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "pg_temp", "pg_catalog", "a\0"})
  void refuseASchemaThatCannotBeOurs(String schema) {
    assertThatIllegalArgumentException().isThrownBy(() -> SchemaOptions.builder().schema(schema));
  }

  @Test
  void refuseABlankMapping() {
    HostTable host = HostTable.existing(new QualifiedName("app", "task_memories"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> host.withProject(" "))
        .withMessageContaining("expression for the project is blank");
  }

  @Test
  void surviveTheirJson() {
    SchemaOptions options =
        SchemaOptions.builder()
            .schema("Odd \"schema\" \\ 'ä' \uD83D\uDE00")
            .dimensions(3072)
            .hnsw(new HnswParameters(24, 200))
            .textSearchConfiguration("public.my_english")
            .hostTable(
                HostTable.existing(new QualifiedName("app", "task_memories"))
                    .withIdColumn("key")
                    .withProject("(select t.p\n\tfrom app.tasks t where t.id = task_memories.t)")
                    .withText("coalesce(a, b)")
                    .withEmbedding("e")
                    .withType("'discovery'")
                    .withSuccess("ok")
                    .withTime("at"))
            .build();
    assertThat(SchemaOptions.fromJson(options.toJson()))
        .isEqualTo(options)
        .hasSameHashCodeAs(options);
    SchemaOptions secured = options.toBuilder().rowLevelSecurity(true).build();
    assertThat(SchemaOptions.fromJson(secured.toJson())).isEqualTo(secured).isNotEqualTo(options);
    assertThat(SchemaOptions.fromJson(SchemaOptions.defaults().toJson()))
        .isEqualTo(SchemaOptions.defaults());
    assertThat(options.toBuilder().build()).isEqualTo(options);
  }

  @Test
  void nameEveryDifference() {
    SchemaOptions recorded = SchemaOptions.builder().dimensions(384).build();
    SchemaOptions given =
        SchemaOptions.builder()
            .textSearchConfiguration("german")
            .hostTable(HostTable.created("public").withProject("p"))
            .build();
    assertThat(recorded.differencesTo(given))
        .containsExactly(
            "dimensions: recorded 384, given 1536",
            "text search configuration: recorded english, given german",
            "host table's project: recorded project_id, given p");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "{", "[]", "{\"schema\": 1}", "{\"schema\": \"a\"}", "{} x", "{\"a\": 1.5}"})
  void refuseOtherJson(String json) {
    assertThatIllegalArgumentException().isThrownBy(() -> SchemaOptions.fromJson(json));
  }

  @Test
  void refuseJsonThatIsNestedTooDeepToRead() {
    String deep = "{\"a\": ".repeat(100_000);
    assertThatIllegalArgumentException().isThrownBy(() -> SchemaOptions.fromJson(deep));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SchemaOptions.fromJson("{\"a\": \"\\u00-1\"}"));
  }

  @Test
  void refuseAMappingThatNoServerCouldRead() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> HostTable.created("public").withText("'\ud800'"))
        .withMessageContaining("half a surrogate pair");
  }
}
