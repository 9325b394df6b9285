package io.agentmemory.consolidation.schema;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The advisory lock, of a database and a schema in it, under which the schema is changed. It ends
 * with its transaction, so that no dead process leaves it behind.
 */
final class UpgradeLock {
  private final long key;

  UpgradeLock(String schema) {
    byte[] name = ("io.agentmemory.consolidation/" + schema).getBytes(StandardCharsets.UTF_8);
    try {
      key = ByteBuffer.wrap(MessageDigest.getInstance("SHA-256").digest(name)).getLong();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }

  long key() {
    return key;
  }

  boolean tryTake(Session session) {
    return session.holds("take the upgrade lock", "pg_try_advisory_xact_lock(" + key + ")");
  }

  /** Who holds the lock, as far as this role may see; null if nobody does any more. */
  @Nullable String holder(Session session) {
    String sql =
        """
        SELECT 'pid ' || l.pid, 'role ' || a.usename, 'application ' || a.application_name,
          'in its transaction since ' || a.xact_start, a.state, left(a.query, 100)
        FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
          AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
          AND l.classid::bigint = %d AND l.objid::bigint = %d
        """
            .formatted(key >>> 32, key & 0xFFFF_FFFFL);
    List<@Nullable String> row = session.row("see who holds the upgrade lock", sql);
    return row.isEmpty()
        ? null
        : row.stream().filter(s -> s != null && !s.isEmpty()).collect(Collectors.joining(", "));
  }
}
