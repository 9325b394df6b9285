package io.agentmemory.consolidation.dao;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class IdsTest {

  @Test
  void areUuidsOfVersion7AndTheIetfsVariant() {
    for (long random : new long[] {0, -1, 0x5555555555555555L}) {
      UUID id = Ids.version7(0x0123456789ABL, random, random);
      assertThat(id.version()).isEqualTo(7);
      assertThat(id.variant()).isEqualTo(2);
      assertThat(id.toString()).startsWith("01234567-89ab-7");
    }
  }

  @Test
  void sortByTimeAsText() {
    long now = 1_736_330_400_000L;
    assertThat(Ids.version7(now, -1, -1).toString())
        .isLessThan(Ids.version7(now + 1, 0, 0).toString());
  }

  @Test
  void differ() {
    Set<String> ids = new HashSet<>();
    for (int i = 0; i < 10_000; i++) {
      assertThat(ids.add(Ids.next())).isTrue();
    }
  }
}
