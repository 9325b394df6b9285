package io.agentmemory.consolidation.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class WaitingTest {
  private static final Duration FOR_EVER = Duration.ofSeconds(Long.MAX_VALUE);

  @Test
  void takesADeadlineThatIsNeverReached() {
    Waiting waiting = new Waiting(FOR_EVER, Duration.ofSeconds(2));
    assertThat(waiting.end() - System.nanoTime()).isGreaterThan(Duration.ofDays(36_000).toNanos());
  }

  @Test
  void refusesLockTimeoutsThatTheServerDoesNotTake() {
    for (Duration refused : new Duration[] {FOR_EVER, Duration.ZERO, Duration.ofNanos(999_999)}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new Waiting(Duration.ZERO, refused))
          .withMessageContaining(refused.toString());
    }
  }
}
