package io.agentmemory.consolidation.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.Embedding;
import java.util.List;
import org.junit.jupiter.api.Test;

class AverageLinkageTest {
  /** An embedding in two dimensions at an angle. */
  private static Embedding atDegrees(int degrees) {
    double angle = Math.toRadians(degrees);
    return Embedding.of((float) Math.cos(angle), (float) Math.sin(angle));
  }

  @Test
  void whatIsAlikeComesTogetherAndTheRestStaysAlone() {
    assertThat(
            AverageLinkage.of(List.of(0, 90, 5, 180, 10, 94), AverageLinkageTest::atDegrees, 0.95))
        .containsExactly(List.of(0, 5, 10), List.of(90, 94), List.of(180));
  }

  @Test
  void aChainOfNeighboursIsNoGroup() {
    List<List<Integer>> groups =
        AverageLinkage.of(List.of(0, 20, 40, 60, 80, 100, 120), AverageLinkageTest::atDegrees, 0.9);

    assertThat(groups).hasSizeGreaterThan(1).allMatch(group -> group.size() <= 3);
  }

  @Test
  void aThresholdOfOneLeavesEverythingButDuplicatesAlone() {
    assertThat(AverageLinkage.of(List.of(0, 10, 20), AverageLinkageTest::atDegrees, 1.0))
        .containsExactly(List.of(0), List.of(10), List.of(20));
  }

  @Test
  void nothingGivesNothing() {
    assertThat(AverageLinkage.of(List.of(), AverageLinkageTest::atDegrees, 0.5)).isEmpty();
  }
}
