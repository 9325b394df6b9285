package io.agentmemory.consolidation.dao;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostColumnsTest {

  @Test
  void anExpressionThatIsMissingIsNull() {
    assertThat(HostColumns.expression(null)).isEqualTo("null");
  }

  @Test
  void aQuestionMarkThatIsAnOperatorIsNoParameter() {
    assertThat(HostColumns.expression("a ? 'b'")).isEqualTo("(a ?? 'b'\n)");
    assertThat(HostColumns.expression("a ?| b ?")).isEqualTo("(a ??| b ??\n)");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'?'",
        "'it''s ?' || x",
        "\"?\"",
        "$$ ? $$",
        "$a$ ? $a$",
        "x /* ? */",
        "x -- ?",
        "a - b",
        "a / b",
        "x::text",
        "a[1:2]",
        "''",
        "'\\'"
      })
  void theRestStaysAsItIs(String expression) {
    assertThat(HostColumns.expression(expression)).isEqualTo("(" + expression + "\n)");
  }
}
