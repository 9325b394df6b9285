package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.schema.SearchIndexes;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Refuses arguments that the database would refuse, or would not find again, before any I/O. */
final class Checks {
  /** Ids and projects stand in b-tree entries, which end at 2,704 bytes. */
  static final int MAX_ID_BYTES = SearchIndexes.MAX_KEY_BYTES;

  /** A statement's parameter may hold 1 GB; this leaves room for what is sent around it. */
  static final int MAX_TEXT_BYTES = 256 << 20;

  static final int MAX_PAGE = 10_000;

  private static final Instant EARLIEST = Instant.parse("0001-01-01T00:00:00Z");
  private static final Instant LATEST = Instant.parse("9999-12-31T23:59:59.999999Z");
  private static final int SHOWN = 40;
  private static final int SHOWN_ELEMENTS = 5;

  private Checks() {}

  /** The argument, which must not be null. */
  static <T> T notNull(String name, @Nullable T value) {
    if (value == null) {
      throw new InvalidInputException(name + " must not be null");
    }
    return value;
  }

  /** An id or a project: not empty, {@value #MAX_ID_BYTES} bytes at most. */
  static String id(String name, @Nullable String value) {
    String id = notEmpty(name, value);
    atMost(name, id, MAX_ID_BYTES);
    return id;
  }

  static @Nullable String idOrNull(String name, @Nullable String value) {
    return value == null ? null : id(name, value);
  }

  /** Ids, each at most once, of which there may be none. */
  static List<String> ids(String name, @Nullable Collection<String> values) {
    Set<String> ids = new LinkedHashSet<>();
    int i = 0;
    for (String value : notNull(name, values)) {
      if (!ids.add(id(name + "[" + i++ + "]", value))) {
        throw new InvalidInputException("%s names %s twice".formatted(name, quoted(value)));
      }
    }
    return List.copyOf(ids);
  }

  /** An array as a list, which may hold nulls. */
  static List<String> list(String name, String @Nullable [] values) {
    return Arrays.asList(notNull(name, values));
  }

  /** Text that PostgreSQL can hold; it may be empty. */
  static String text(String name, @Nullable String value) {
    return text(name, value, MAX_TEXT_BYTES);
  }

  static String text(String name, @Nullable String value, int maxBytes) {
    String text = notNull(name, value);
    atMost(name, text, maxBytes);
    return text;
  }

  static @Nullable String textOrNull(String name, @Nullable String value) {
    return value == null ? null : text(name, value);
  }

  /** Text made storable: what UTF-8 or PostgreSQL cannot hold is replaced, what is long is cut. */
  static String storable(String name, @Nullable String value, int max) {
    StringBuilder text = new StringBuilder();
    notNull(name, value)
        .codePoints()
        .limit(max)
        .map(c -> c == 0 || Character.getType(c) == Character.SURROGATE ? '\uFFFD' : c)
        .forEach(text::appendCodePoint);
    return text.toString();
  }

  /** Text for a {@code varchar(max)}: not empty, at most so many characters (code points). */
  static String name(String name, @Nullable String value, int max) {
    String text = notEmpty(name, value);
    utf8Length(name, text);
    int length = text.codePointCount(0, text.length());
    if (length > max) {
      throw new InvalidInputException(
          "%s must have at most %,d characters, %s has %,d"
              .formatted(name, max, quoted(text), length));
    }
    return text;
  }

  static @Nullable String nameOrNull(String name, @Nullable String value, int max) {
    return value == null ? null : name(name, value, max);
  }

  static int between(String name, int value, int min, int max) {
    if (value < min || value > max) {
      throw new InvalidInputException(
          "%s must be between %,d and %,d, was %d".formatted(name, min, max, value));
    }
    return value;
  }

  /** A time that the database can hold. */
  static Instant time(String name, @Nullable Instant value) {
    Instant time = notNull(name, value);
    if (time.isBefore(EARLIEST) || time.isAfter(LATEST)) {
      throw new InvalidInputException(name + " must lie in the years 1 to 9999, was " + time);
    }
    return time;
  }

  static PageRequest page(@Nullable PageRequest value) {
    return notNull("page", value);
  }

  static Duration positive(String name, @Nullable Duration value) {
    Duration duration = notNull(name, value);
    if (duration.isNegative() || duration.isZero()) {
      throw new InvalidInputException(
          "%s must be longer than nothing, was %s".formatted(name, duration));
    }
    return duration;
  }

  /**
   * Refuses a joined transaction whose snapshot, taken before its locks were granted, would not
   * show what others have committed meanwhile.
   *
   * @param isolation the {@code transaction_isolation}
   * @param unseen what would not be seen
   * @param call what to do at READ COMMITTED
   */
  static void readCommitted(String isolation, String unseen, String call) {
    if (!isolation.equals("read committed")) {
      throw new InvalidInputException(
          "the joined transaction is at %s, at which it cannot be seen whether %s meanwhile: %s at READ COMMITTED"
              .formatted(isolation, unseen, call));
    }
  }

  /** A value for a message: in quotes, without what a terminal would act on, shortened. */
  static String quoted(String value) {
    int length = value.codePointCount(0, Math.min(value.length(), 2 * SHOWN + 2));
    return length > SHOWN
        ? '"' + printable(value.substring(0, value.offsetByCodePoints(0, SHOWN))) + "…\""
        : '"' + printable(value) + '"';
  }

  /** A text without what a terminal would act on. */
  static String printable(String text) {
    StringBuilder shown = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              if (Character.isISOControl(c)
                  || Character.getType(c) == Character.FORMAT
                  || Character.getType(c) == Character.SURROGATE) {
                shown.append("\\u%04X".formatted(c));
              } else {
                shown.appendCodePoint(c);
              }
            });
    return shown.toString();
  }

  /** The first few of these values, for a message. */
  static String some(Collection<String> values) {
    StringBuilder shown = new StringBuilder();
    values.stream()
        .limit(SHOWN_ELEMENTS)
        .forEach(value -> shown.append(shown.isEmpty() ? "" : ", ").append(quoted(value)));
    if (values.size() > SHOWN_ELEMENTS) {
      shown.append(" and %,d more".formatted(values.size() - SHOWN_ELEMENTS));
    }
    return shown.toString();
  }

  private static void atMost(String name, String text, int maxBytes) {
    long bytes = utf8Length(name, text);
    if (bytes > maxBytes) {
      throw new InvalidInputException(
          "%s must have at most %,d bytes in UTF-8, %s has %,d"
              .formatted(name, maxBytes, quoted(text), bytes));
    }
  }

  private static String notEmpty(String name, @Nullable String value) {
    String text = notNull(name, value);
    if (text.isEmpty()) {
      throw new InvalidInputException(name + " must not be empty");
    }
    return text;
  }

  /** How many bytes a text takes in UTF-8; refuses what UTF-8 or PostgreSQL cannot hold. */
  private static long utf8Length(String name, String text) {
    long bytes = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == 0) {
        throw new InvalidInputException(
            "%s must not hold U+0000, which PostgreSQL cannot store: character %,d of %s"
                .formatted(name, i + 1, quoted(text)));
      }
      if (c < 0x80) {
        bytes += 1;
      } else if (c < 0x800) {
        bytes += 2;
      } else if (!Character.isSurrogate(c)) {
        bytes += 3;
      } else if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        bytes += 4;
        i++;
      } else {
        throw new InvalidInputException(
            "%s must not hold half a surrogate pair, which is no character: character %,d of %s"
                .formatted(name, i + 1, quoted(text)));
      }
    }
    return bytes;
  }
}
