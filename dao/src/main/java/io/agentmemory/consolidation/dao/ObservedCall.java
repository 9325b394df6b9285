package io.agentmemory.consolidation.dao;

import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How one call went.
 *
 * @param operation which, of a fixed set, for example {@code memories.searchByVector}
 * @param project the project that the call is about; null where it may be about several
 * @param elapsed how long it took, the wait for a connection included
 * @param result how it ended
 * @param sqlState the SQLSTATE of a failure of the database; null where there is none
 * @param rows how many rows it gave or wrote, as far as what it returned tells; null where not
 * @param strategy how a search went about vectors; null where the call was none
 * @param candidates how many candidates an index collected for a search at a time; null where the
 *     call was none, or used no index
 */
public record ObservedCall(
    String operation,
    @Nullable String project,
    Duration elapsed,
    CallResult result,
    @Nullable String sqlState,
    @Nullable Long rows,
    @Nullable SearchStrategy strategy,
    @Nullable Integer candidates) {

  static ObservedCall returned(
      String operation, @Nullable String project, long nanos, @Nullable Object value) {
    SearchResult<?> search = value instanceof SearchResult<?> result ? result : null;
    return new ObservedCall(
        operation,
        project,
        Duration.ofNanos(nanos),
        CallResult.SUCCESS,
        null,
        rows(value),
        search == null ? null : search.strategy(),
        search == null ? null : search.candidates());
  }

  static ObservedCall threw(
      String operation, @Nullable String project, long nanos, Throwable failure) {
    DatabaseException database = failure instanceof DatabaseException refused ? refused : null;
    CallResult result =
        database == null
            ? CallResult.REFUSED
            : database.outcome() == Outcome.UNKNOWN ? CallResult.UNKNOWN : CallResult.FAILED;
    String sqlState = database == null ? null : database.sqlState();
    return new ObservedCall(
        operation, project, Duration.ofNanos(nanos), result, sqlState, null, null, null);
  }

  private static @Nullable Long rows(@Nullable Object value) {
    if (value instanceof SearchResult<?> result) {
      return (long) result.hits().size();
    }
    if (value instanceof Collection<?> items) {
      return (long) items.size();
    }
    if (value instanceof Map<?, ?> items) {
      return (long) items.size();
    }
    if (value instanceof Page<?> page) {
      return (long) page.items().size();
    }
    if (value instanceof SimilarPairs pairs) {
      return (long) pairs.pairs().size();
    }
    if (value instanceof Optional<?> item) {
      return item.isPresent() ? 1L : 0L;
    }
    return value instanceof Integer || value instanceof Long ? ((Number) value).longValue() : null;
  }
}
