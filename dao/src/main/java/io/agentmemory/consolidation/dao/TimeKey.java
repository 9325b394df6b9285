package io.agentmemory.consolidation.dao;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.function.Function;

/** Where a page of a list that is newest first ends: a row's time and id. */
record TimeKey(Instant time, String id) {
  /** After all rows; the driver sends it as {@code infinity}. */
  private static final TimeKey NEWEST = new TimeKey(OffsetDateTime.MAX.toInstant(), "");

  /** The beginning of 2000, from which the server counts. */
  private static final long EPOCH_SECOND = 946_684_800L;

  private static final char SEPARATOR = '/';

  /** Where a page starts. */
  static TimeKey after(PageRequest page) {
    String after = page.after();
    if (after == null) {
      return NEWEST;
    }
    int separator = after.indexOf(SEPARATOR);
    try {
      Instant time = Instant.parse(after.substring(0, Math.max(0, separator)));
      String id = Checks.id("page.after", after.substring(separator + 1));
      return new TimeKey(Checks.time("page.after", time), id);
    } catch (DateTimeException malformed) {
      throw new InvalidInputException(
          "page.after must be what Page.next gave, was " + Checks.quoted(after), malformed);
    }
  }

  /** The page of rows of which there may be one too many, which tells that there is a next page. */
  static <T> Page<T> page(PageRequest page, List<T> rows, Function<T, TimeKey> key) {
    if (rows.size() <= page.size()) {
      return new Page<>(rows, null);
    }
    List<T> items = rows.subList(0, page.size());
    TimeKey last = key.apply(items.get(items.size() - 1));
    return new Page<>(items, new PageRequest(page.size(), last.toString()));
  }

  /**
   * A time in the server's binary format.
   *
   * @param microseconds since the beginning of 2000, the least and the greatest for the infinities,
   *     which are told as the driver tells them
   */
  static Instant ofMicroseconds(long microseconds) {
    if (microseconds == Long.MAX_VALUE) {
      return OffsetDateTime.MAX.toInstant();
    }
    if (microseconds == Long.MIN_VALUE) {
      return OffsetDateTime.MIN.toInstant();
    }
    return Instant.ofEpochSecond(
        EPOCH_SECOND + Math.floorDiv(microseconds, 1_000_000L),
        Math.floorMod(microseconds, 1_000_000L) * 1_000L);
  }

  /** A time for the driver, in no time zone but UTC. */
  static OffsetDateTime value(Instant time) {
    return time.equals(NEWEST.time) ? OffsetDateTime.MAX : time.atOffset(ZoneOffset.UTC);
  }

  @Override
  public String toString() {
    return time.toString() + SEPARATOR + id;
  }
}
