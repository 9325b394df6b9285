package io.agentmemory.consolidation.schema;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An advisory lock of a database and a schema in it. It ends with its transaction, or with its
 * session, so that no dead process leaves it behind.
 */
final class UpgradeLock {
  private static final Logger LOG = LoggerFactory.getLogger(UpgradeLock.class);

  private final String schema;
  private final String what;
  private final long key;

  private UpgradeLock(String schema, String what, String prefix) {
    this.schema = schema;
    this.what = what;
    byte[] name = (prefix + schema).getBytes(StandardCharsets.UTF_8);
    try {
      key = ByteBuffer.wrap(MessageDigest.getInstance("SHA-256").digest(name)).getLong();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }

  /** The lock under which the schema is changed. */
  static UpgradeLock ofUpgrades(String schema) {
    return new UpgradeLock(schema, "the upgrade lock", "io.agentmemory.consolidation/");
  }

  /** The lock under which indexes are built online: one at a time, and nothing taken away. */
  static UpgradeLock ofBuilds(String schema) {
    return new UpgradeLock(
        schema, "the lock of index builds", "io.agentmemory.consolidation.builds/");
  }

  long key() {
    return key;
  }

  boolean tryTake(Session session) {
    return session.holds("take " + what, "pg_try_advisory_xact_lock(" + key + ")");
  }

  /** Takes it until {@link #release}, or until the session ends. */
  boolean tryTakeForSession(Session session) {
    return session.holds("take " + what, "pg_try_advisory_lock(" + key + ")");
  }

  /** The same, as soon as nobody else holds it. */
  void takeForSession(Session session, Waiting waiting) {
    long end = waiting.end();
    for (int attempt = 0; !tryTakeForSession(session); attempt++) {
      if (Waiting.isOver(end)) {
        throw new SchemaBusyException(
            "Gave up after " + waiting.deadline() + ": " + heldBy(session), null);
      }
      pause(() -> heldBy(session), attempt, end);
    }
  }

  /** The time until another try to take it; that it is waited for is logged once. */
  void pause(Supplier<String> holder, int attempt, long end) {
    if (attempt == 0) {
      LOG.atInfo().addKeyValue("schema", schema).log("Waiting for others: {}", holder.get());
    }
    Pause.after(attempt, end);
  }

  /** Where the connection is lost, the lock is gone already. */
  void release(Session session) {
    try {
      session.value("release " + what, "SELECT pg_advisory_unlock(" + key + ")");
    } catch (SchemaSqlException e) {
      LOG.debug("The connection is lost, and the lock with it", e);
    }
  }

  /** A sentence on who holds the lock, as far as this role may see. */
  String heldBy(Session session) {
    String holder = holder(session);
    return what + " is held by " + (holder == null ? "somebody who has just let it go" : holder);
  }

  private @Nullable String holder(Session session) {
    String sql =
        """
        SELECT %s
        FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
          AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
          AND l.classid::bigint = %d AND l.objid::bigint = %d
        """
            .formatted(Backends.COLUMNS, key >>> 32, key & 0xFFFF_FFFFL);
    List<@Nullable String> row = session.row("see who holds " + what, sql);
    return row.isEmpty() ? null : Backends.describe(row);
  }
}
