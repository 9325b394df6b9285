package io.agentmemory.consolidation.it.hostile;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Harmless and hostile values of the simple types, from a seed. Not thread-safe. */
final class Values {
  /** In every text with letters, so that it shows where the text went. */
  static final String MARKER = "zq7x";

  static final String MINE = "mine " + MARKER;

  private static final int MEGABYTE = 1 << 20;
  private static final List<String> HOSTILE =
      List.of(
          "",
          " ",
          "\t\r\n ",
          "\u00a0\u2003",
          MARKER + "\0",
          "\0",
          MARKER + "\u0001\u0007\u001b[31m\u007f\u0085",
          MARKER + "\ud800",
          "\udc00" + MARKER,
          MARKER + "\udc00\ud800",
          "\u202e" + MARKER + "\u2066\u200f",
          "\ufeff" + MARKER + "\uffff\ufdd0",
          MARKER + "' or '1'='1",
          MARKER + "'; drop table consolidated_memories; --",
          "\\'" + MARKER + "\\\\\"$$" + MARKER + "$$ $1 ? ?? :id :x {vector} {schema} <x> %s %n",
          MARKER + "/*" + MARKER + "*/ \" ' ` ; -- #{1} ${x}",
          MARKER + ":* & ! | <-> () ''",
          "\"" + MARKER + "\" or -" + MARKER + " \"",
          "{\"" + MARKER + "\":\"\\u0000\"}",
          "{\"" + MARKER + "\":1e99999}",
          "{\"" + MARKER + "\":[1,2,}",
          "{\"" + MARKER + "\":\"\\ud800\"}",
          "{\"a\":".repeat(150) + "1" + "}".repeat(150),
          "{\"a\":".repeat(5_000) + "1" + "}".repeat(5_000),
          "[".repeat(100_000),
          "2026-01-01T00:00:00Z/" + MARKER,
          "+1000000000-12-31T23:59:59.999999999Z/" + MARKER,
          "e\u0301" + MARKER + "\u0345".repeat(40),
          MARKER + "\ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67",
          MARKER + "x".repeat(51),
          MARKER + "x".repeat(256),
          MARKER + "\u00e4".repeat(300),
          MARKER + "x".repeat(513),
          MARKER + "x".repeat(32_768),
          (MARKER + " ").repeat(3_000),
          "NaN",
          "null");
  private static final double[] DOUBLES = {
    Double.NaN,
    Double.POSITIVE_INFINITY,
    Double.NEGATIVE_INFINITY,
    -0.0,
    0,
    1,
    -1,
    Math.nextUp(1.0),
    Double.MIN_VALUE,
    Double.MAX_VALUE,
    -Double.MAX_VALUE,
    1e-300,
    1e39
  };
  private static final long[] LONGS = {
    0, 1, -1, 2, 1_000, 1_001, 10_000, 10_001, Integer.MAX_VALUE, Long.MAX_VALUE, Long.MIN_VALUE
  };
  private static final List<Duration> DURATIONS =
      List.of(
          Duration.ZERO,
          Duration.ofNanos(1),
          Duration.ofNanos(-1),
          Duration.ofSeconds(Long.MAX_VALUE, 999_999_999),
          Duration.ofSeconds(Long.MIN_VALUE),
          Duration.ofDays(365),
          Duration.ofDays(36_501),
          Duration.ofDays(200_000),
          Duration.ofMillis(Long.MAX_VALUE));
  private static final List<Instant> INSTANTS =
      List.of(
          Instant.MIN,
          Instant.MAX,
          Instant.EPOCH,
          Instant.parse("-000001-01-01T00:00:00Z"),
          Instant.parse("0001-01-01T00:00:00Z"),
          Instant.parse("9999-12-31T23:59:59.999999999Z"),
          Instant.parse("+10000-01-01T00:00:00Z"));

  private final Random random;
  private double hostility;

  Values(long seed) {
    random = new Random(seed);
  }

  /** How many of the next values are hostile: none, few, or many. */
  void nextCall() {
    hostility = new double[] {0, 0.02, 0.1, 0.5}[random.nextInt(4)];
  }

  void harmless() {
    hostility = 0;
  }

  boolean hostile() {
    return chance(hostility);
  }

  boolean chance(double probability) {
    return random.nextDouble() < probability;
  }

  int below(int bound) {
    return random.nextInt(bound);
  }

  <T> T one(List<T> values) {
    return values.get(random.nextInt(values.size()));
  }

  <T> T one(T[] values) {
    return values[random.nextInt(values.length)];
  }

  /** A text for a parameter or component of this name. */
  String text(String name) {
    return hostile() ? hostileText() : harmlessText(name.toLowerCase(Locale.ROOT));
  }

  private String hostileText() {
    if (chance(0.005)) {
      String part = one(HOSTILE.subList(1, 22)) + MARKER + " ";
      return part.repeat(MEGABYTE / part.length() * (1 + below(3)));
    }
    if (chance(0.2)) {
      StringBuilder text = new StringBuilder(MARKER);
      for (int i = below(60); i > 0; i--) {
        text.append((char) random.nextInt(chance(0.5) ? 0x80 : 0x10000));
      }
      return text.toString();
    }
    return one(HOSTILE);
  }

  private String harmlessText(String name) {
    if (name.contains("project")) {
      return chance(0.95) ? MINE : "other " + MARKER;
    }
    if (name.contains("metrics") || name.equals("scope")) {
      return chance(0.3) ? "{}" : "{\"" + MARKER + "\": {\"a\": [1, null, \"x\"]}}";
    }
    if (name.equals("id") || name.contains("ids") || name.endsWith("id")) {
      String kind = one(List.of("m", "m", "m", "t", "j", "new"));
      return MARKER + kind + below(kind.equals("new") ? 100_000 : 12);
    }
    if (name.equals("jdbcurl")) {
      return MARKER;
    }
    return one(List.of(MARKER, "fruit " + MARKER, MARKER + " apples and pears", "Ünï " + MARKER));
  }

  int integer(String name) {
    if (hostile()) {
      return (int) LONGS[below(LONGS.length)];
    }
    return switch (name) {
      case "dimensions" -> 3;
      case "level", "abstractionLevel" -> 1 + below(3);
      case "depth" -> 50 + below(50);
      case "efConstruction" -> 64;
      default -> 2 + below(20);
    };
  }

  long number() {
    return hostile() ? LONGS[below(LONGS.length)] : 1 + below(20);
  }

  double fraction() {
    return hostile() ? DOUBLES[below(DOUBLES.length)] : random.nextDouble();
  }

  Duration duration() {
    return hostile() ? one(DURATIONS) : Duration.ofMillis(1_500L + below(3_000));
  }

  Instant instant() {
    return hostile() ? one(INSTANTS) : Instant.now().minusSeconds(below(1_000));
  }

  /** The numbers of an embedding of three dimensions, or something near. */
  double[] numbers() {
    if (!hostile()) {
      return new double[] {1, random.nextDouble(), random.nextDouble() / 10};
    }
    double[] numbers = new double[one(List.of(0, 1, 2, 3, 3, 3, 3, 4, 2_000, 70_000))];
    double fill = chance(0.5) ? DOUBLES[below(DOUBLES.length)] : random.nextGaussian();
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = chance(0.9) ? fill : DOUBLES[below(DOUBLES.length)];
    }
    return numbers;
  }

  float[] floats() {
    double[] numbers = numbers();
    float[] floats = new float[numbers.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) numbers[i];
    }
    return floats;
  }

  /** How many elements a collection has. */
  int count() {
    if (hostile()) {
      return chance(0.03) ? 10_001 : one(List.of(0, 0, 1, 60));
    }
    return 1 + below(3);
  }

  /** Null in the place of a value, where it may stand and where it may not. */
  boolean isNull(boolean allowed) {
    return allowed ? chance(0.5) : hostile() && chance(0.3);
  }

  static @Nullable String shortened(@Nullable Object value) {
    String text = String.valueOf(value);
    return text.length() <= 160 ? text : text.substring(0, 160) + "… " + text.length();
  }
}
