package io.agentmemory.consolidation.dao;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;

class SqlTest {
  @Test
  void parameters_become_positions_and_fragments_are_put_in_as_they_are() {
    Sql sql =
        Sql.of(
            "select {a} from {t} where x = :x and y < :y and z = :x;",
            Map.of("a", "\"odd:name{b}\"", "t", "t"));
    assertThat(sql.text())
        .isEqualTo("select \"odd:name{b}\" from t where x = ? and y < ? and z = ?;");
    assertThat(sql.positions("x")).containsExactly(1, 3);
    assertThat(sql.positions("y")).containsExactly(2);
  }

  @Test
  void what_is_not_there_is_a_mistake() {
    assertThatThrownBy(() -> Sql.of("{nothing}", Map.of()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("nothing");
    assertThatThrownBy(() -> Sql.of("select :x", Map.of()).positions("y"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("y");
  }
}
