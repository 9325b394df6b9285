package io.agentmemory.consolidation.it.dao;

import static org.assertj.core.api.Assertions.assertThat;

import io.agentmemory.consolidation.dao.Consolidation;
import io.agentmemory.consolidation.dao.ConsolidationObserver;
import io.agentmemory.consolidation.dao.JobWorker;
import io.agentmemory.consolidation.dao.JobWorkerOptions;
import io.agentmemory.consolidation.dao.ObservedCall;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** When a worker that has nothing to do asks for jobs. */
@Timeout(120)
class JobWorkerPollsTest {
  private static final Duration INTERVAL = Duration.ofMillis(200);
  private static final Duration SHORT = INTERVAL.multipliedBy(3).dividedBy(4);
  private static final Duration LONG = INTERVAL.multipliedBy(5).dividedBy(4);

  /** A worker's gaps all miss one of the two, each a quarter of them, once in 10^18 runs. */
  private static final int GAPS = 150;

  @RegisterExtension final TestDatabase database = TestDatabase.with(TestDatabase.SMALL);

  /**
   * The times between the end of a poll and the begin of the next, until one of them is short and
   * another long, or there are enough. A machine that is busy makes them longer, never shorter.
   */
  private static final class Gaps implements ConsolidationObserver {
    private final List<Duration> gaps = new ArrayList<>();
    private final CountDownLatch enough = new CountDownLatch(1);
    private long ended;

    @Override
    public synchronized void called(ObservedCall call) {
      if (!call.operation().startsWith("jobs.claim") || enough.getCount() == 0) {
        return;
      }
      long now = System.nanoTime();
      if (ended != 0) {
        gaps.add(Duration.ofNanos(now - ended).minus(call.elapsed()));
      }
      ended = now;
      if (gaps.size() == GAPS || (any(SHORT, -1) && any(LONG, 1))) {
        enough.countDown();
      }
    }

    private boolean any(Duration than, int sign) {
      return gaps.stream().anyMatch(gap -> gap.compareTo(than) * sign > 0);
    }
  }

  @Test
  void theGapsBetweenPollsSpreadFromHalfToOneAndAHalfOfTheInterval() throws Exception {
    Gaps seen = new Gaps();
    Consolidation observed = database.consolidation().observedBy(seen);
    JobWorkerOptions options = JobWorkerOptions.defaults().withPollInterval(INTERVAL);
    try (JobWorker worker = JobWorker.start(observed, run -> {}, options, null)) {
      assertThat(seen.enough.await(90, TimeUnit.SECONDS)).as("%s polls", GAPS).isTrue();
      assertThat(worker.stop(Duration.ofSeconds(30))).isTrue();
    }
    assertThat(seen.gaps)
        .as("times between polls")
        .allMatch(gap -> gap.compareTo(INTERVAL.dividedBy(2)) >= 0)
        .anyMatch(gap -> gap.compareTo(SHORT) < 0)
        .anyMatch(gap -> gap.compareTo(LONG) > 0);
  }
}
