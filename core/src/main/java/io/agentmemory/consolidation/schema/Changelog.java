package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Change;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * An application's own revisions, kept beside the library's in the same history: a stream of its
 * own, linear, each revision naming the one of the library's that it needs. Once a revision has
 * been applied anywhere its definition must not change; append another.
 *
 * <p>Immutable and thread-safe.
 *
 * @param name the stream's name
 * @param revisions its revisions, oldest first
 */
public record Changelog(String name, List<Revision> revisions) {
  /**
   * Checks the names and that every revision says what it needs.
   *
   * @param name the stream's name
   * @param revisions its revisions, oldest first
   */
  public Changelog {
    if (!name.matches("[A-Za-z0-9_.-]{1,100}") || name.equals(OwnRevisions.STREAM)) {
      throw new IllegalArgumentException(
          "A changelog is named by 1 to 100 letters, digits, _ . and -, other than "
              + OwnRevisions.STREAM
              + ", not: "
              + name);
    }
    revisions = List.copyOf(revisions);
    Set<String> ids = new HashSet<>(OwnRevisions.IDS);
    for (Revision revision : revisions) {
      if (!ids.add(revision.id())) {
        throw new IllegalArgumentException(
            "Changelog " + name + " has a revision whose name is taken: " + revision.id());
      }
      String requires = revision.requires();
      if (requires == null || !OwnRevisions.IDS.contains(requires)) {
        throw new IllegalArgumentException(
            "Revision "
                + revision.id()
                + " must require one of "
                + OwnRevisions.IDS
                + ", it requires "
                + requires);
      }
      for (Change change : revision.changes()) {
        if (change.target().name().equals(History.TABLE)) {
          throw new IllegalArgumentException(
              "Revision " + revision.id() + " changes the history table, which is the library's");
        }
      }
    }
  }

  /**
   * A changelog without revisions yet.
   *
   * @param name the stream's name, unique in a database: 1 to 100 letters, digits, {@code _ . -}
   * @return the changelog
   */
  public static Changelog named(String name) {
    return new Changelog(name, List.of());
  }

  /**
   * The same with one revision more at its end.
   *
   * @param revision the newest revision
   * @return another changelog
   */
  public Changelog revision(Revision revision) {
    List<Revision> more = new ArrayList<>(revisions);
    more.add(revision);
    return new Changelog(name, more);
  }
}
