package io.agentmemory.consolidation.dao;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class HalfTest {
  @Test
  void every_half_is_its_own_nearest() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      float value = Half.toFloat((short) bits);
      if (!Float.isNaN(value)) {
        assertThat(Half.of(value)).isEqualTo((short) bits);
      }
    }
  }

  @Test
  void known_numbers() {
    assertThat(Half.toFloat((short) 0x3c00)).isEqualTo(1f);
    assertThat(Half.toFloat((short) 0xc000)).isEqualTo(-2f);
    assertThat(Half.toFloat((short) 0x7bff)).isEqualTo(65504f);
    assertThat(Half.toFloat((short) 0x0400)).isEqualTo(0x1p-14f);
    assertThat(Half.toFloat((short) 0x0001)).isEqualTo(0x1p-24f);
    assertThat(Half.toFloat((short) 0x7c00)).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(Half.toFloat((short) 0x7e00)).isNaN();
    assertThat(Half.toFloat(Half.of(Float.NaN))).isNaN();
  }

  @Test
  void the_largest_and_the_smallest_number_end_where_the_next_one_is_nearer() {
    assertThat(Half.toFloat(Half.of(65519.99f))).isEqualTo(65504f);
    assertThat(Half.toFloat(Half.of(-65520f))).isEqualTo(Float.NEGATIVE_INFINITY);
    assertThat(Half.toFloat(Half.of(0x1p-25f))).isZero();
    assertThat(Half.toFloat(Half.of(Math.nextUp(0x1p-25f)))).isEqualTo(0x1p-24f);
  }

  @Test
  void a_number_between_two_halves_becomes_the_nearer_one_and_a_tie_the_even_one() {
    Random random = new Random(1);
    for (int i = 0; i < 1_000_000; i++) {
      int bits = random.nextInt(0x7bff);
      double low = Half.toFloat((short) bits);
      double high = Half.toFloat((short) (bits + 1));
      float value =
          i % 4 == 0
              ? (float) ((low + high) / 2)
              : (float) (low + (high - low) * random.nextDouble());
      double toLow = value - low;
      double toHigh = high - value;
      int nearest = toLow < toHigh || (toLow == toHigh && bits % 2 == 0) ? bits : bits + 1;
      assertThat(Half.of(value)).isEqualTo((short) nearest);
      assertThat(Half.of(-value)).isEqualTo((short) (nearest | 0x8000));
    }
  }
}
