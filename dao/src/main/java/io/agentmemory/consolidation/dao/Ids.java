package io.agentmemory.consolidation.dao;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Comparator;
import java.util.UUID;

/**
 * Makes ids: UUIDs of version 7 (RFC 9562), which sort by the millisecond they were made in, so
 * that new rows lie together in the index. The other 74 bits are random.
 *
 * <p>Only ids come from this clock; the timestamps in the rows come from the database's.
 */
final class Ids {
  /** As the collation "C" of PostgreSQL orders them: by the bytes of their UTF-8. */
  static final Comparator<String> ORDER =
      Comparator.comparing(id -> id.getBytes(UTF_8), Arrays::compareUnsigned);

  private static final SecureRandom RANDOM = new SecureRandom();

  private Ids() {}

  static String next() {
    return version7(System.currentTimeMillis(), RANDOM.nextLong(), RANDOM.nextLong()).toString();
  }

  static UUID version7(long millis, long random, long more) {
    long high = millis << 16 | 0x7000L | (random & 0x0FFFL);
    long low = 0x8000000000000000L | (more & 0x3FFFFFFFFFFFFFFFL);
    return new UUID(high, low);
  }
}
