package io.agentmemory.consolidation.ddl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class IdentifiersTest {
  @Test
  void quotesAlwaysAndDoublesQuotes() {
    assertThat(new QualifiedName("public", "select").sql()).isEqualTo("\"public\".\"select\"");
    assertThat(new QualifiedName("My \"odd\"", "x.y").sql())
        .isEqualTo("\"My \"\"odd\"\"\".\"x.y\"");
  }

  @Test
  void keepsANameOf63BytesAndRefusesOneOf64() {
    assertThat(Identifiers.check("table", "a".repeat(63))).hasSize(63);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Identifiers.check("table", "a".repeat(64)))
        .withMessageContaining("table has 64 bytes, PostgreSQL keeps 63");
  }

  @Test
  void countsBytesNotCharacters() {
    assertThat(Identifiers.check("table", "ä".repeat(31))).hasSize(31);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Identifiers.check("table", "ä".repeat(32)))
        .withMessageContaining("64 bytes");
  }

  @Test
  void refusesWhatPostgresCannotStore() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new QualifiedName("public", ""))
        .withMessageContaining("must not be empty");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new QualifiedName("a\0b", "t"))
        .withMessageContaining("U+0000");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new QualifiedName("a", "t\uD800"))
        .withMessageContaining("surrogate");
  }

  @Test
  void writesLiteralsThatDependOnNoSetting() {
    assertThat(Identifiers.literal("it's")).isEqualTo("'it''s'");
    assertThat(Identifiers.literal("a\\b'")).isEqualTo(" E'a\\\\b'''");
  }
}
