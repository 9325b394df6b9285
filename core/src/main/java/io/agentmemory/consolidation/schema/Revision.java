package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Change;
import io.agentmemory.consolidation.ddl.Renderer;
import io.agentmemory.consolidation.ddl.SqlStatement;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A step of a schema's history: changes that are applied together, and taken back together.
 *
 * <p>Immutable and thread-safe.
 *
 * @param id its name, unique in a database
 * @param requires the revision of this library that must have been applied; null for the library's
 *     own revisions
 * @param changes what it changes, in order
 */
public record Revision(String id, @Nullable String requires, List<Change> changes) {
  /** Stands for the extension's schema in checksums, so that it does not matter to them. */
  private static final Renderer CANONICAL = Renderer.withExtensionIn("extension");

  /**
   * Checks the name.
   *
   * @param id its name, unique in a database
   * @param requires the revision of this library that must have been applied; null for the
   *     library's own revisions
   * @param changes what it changes, in order
   */
  public Revision {
    if (!id.matches("[A-Za-z0-9_.-]{1,100}")) {
      throw new IllegalArgumentException(
          "A revision is named by 1 to 100 letters, digits, _ . and -, not: " + id);
    }
    changes = List.copyOf(changes);
  }

  /**
   * A revision without changes yet.
   *
   * @param id its name, unique in a database: 1 to 100 letters, digits, {@code _ . -}
   * @return the revision
   */
  public static Revision of(String id) {
    return new Revision(id, null, List.of());
  }

  /**
   * The same, needing a revision of this library.
   *
   * @param revision a revision's name, for example {@code consolidation_001}
   * @return another revision
   */
  public Revision requires(String revision) {
    return new Revision(id, revision, changes);
  }

  /**
   * The same with more changes at its end.
   *
   * @param more changes, in order
   * @return another revision
   */
  public Revision change(Change... more) {
    List<Change> all = new ArrayList<>(changes);
    all.addAll(List.of(more));
    return new Revision(id, requires, all);
  }

  /**
   * Whether this only adds: what was written for the revision before goes on working.
   *
   * @return false if one of the changes takes something away
   */
  public boolean additive() {
    return changes.stream().allMatch(Change::additive);
  }

  /** The changes that take this revision back, in order. */
  List<Change> inverse() {
    List<Change> inverse = new ArrayList<>();
    for (Change change : changes) {
      inverse.add(0, change.inverse());
    }
    return inverse;
  }

  /** Tells this definition from any other of the same name. */
  String checksum() {
    StringBuilder text = new StringBuilder(id).append('\n').append(requires).append('\n');
    for (Change change : changes) {
      SqlStatement statement = CANONICAL.render(change);
      text.append(statement.sql()).append('\n');
    }
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      byte[] digest = sha256.digest(text.toString().getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }
}
