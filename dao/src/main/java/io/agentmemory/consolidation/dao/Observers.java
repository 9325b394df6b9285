package io.agentmemory.consolidation.dao;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Those who are told of calls and jobs. Immutable. */
final class Observers {
  static final Observers NONE = new Observers(List.of());

  private static final Logger LOG = LoggerFactory.getLogger(Observers.class);

  private final List<ConsolidationObserver> all;

  private Observers(List<ConsolidationObserver> all) {
    this.all = all;
  }

  Observers and(ConsolidationObserver observer) {
    return new Observers(Stream.concat(all.stream(), Stream.of(observer)).toList());
  }

  boolean isEmpty() {
    return all.isEmpty();
  }

  /** Makes a call and tells of it. */
  <T extends @Nullable Object> T around(
      String operation, @Nullable String project, Supplier<T> call) {
    long start = System.nanoTime();
    T value;
    try {
      value = call.get();
    } catch (Throwable failure) {
      ObservedCall threw =
          ObservedCall.threw(operation, project, System.nanoTime() - start, failure);
      tell(observer -> observer.called(threw));
      throw failure;
    }
    ObservedCall returned =
        ObservedCall.returned(operation, project, System.nanoTime() - start, value);
    tell(observer -> observer.called(returned));
    return value;
  }

  void jobs(JobEvent event, int count) {
    if (count > 0) {
      tell(observer -> observer.jobs(event, count));
    }
  }

  private void tell(Consumer<ConsolidationObserver> what) {
    for (ConsolidationObserver observer : all) {
      try {
        what.accept(observer);
      } catch (Throwable failure) {
        LOG.atWarn()
            .addKeyValue("observer", observer.getClass().getName())
            .setCause(failure)
            .log("An observer failed; the call is not affected");
      }
    }
  }
}
