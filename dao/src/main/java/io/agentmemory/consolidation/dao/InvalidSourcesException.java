package io.agentmemory.consolidation.dao;

import io.agentmemory.consolidation.schema.ConsolidationException;
import java.util.List;

/**
 * A consolidation was refused because the database shows that some of its sources cannot be
 * sources. Nothing was changed.
 */
public final class InvalidSourcesException extends ConsolidationException {
  private static final long serialVersionUID = 1L;

  /** Why a source was refused. */
  public enum Reason {
    /** The project has no such memory of that kind. */
    NOT_FOUND("the project has no"),
    /** The id belongs to a task memory and to a consolidated memory. */
    AMBIGUOUS("both a task memory and a consolidated memory are called"),
    /** The source is more abstract than what would be consolidated from it. */
    MORE_ABSTRACT("of a higher abstraction level than the new memory are");

    private final String text;

    Reason(String text) {
      this.text = text;
    }
  }

  /** What is wrong with the sources. */
  private final Reason reason;

  /** Serialized form: a list that is {@link java.io.Serializable}. */
  @SuppressWarnings("serial")
  private final List<String> sourceIds;

  InvalidSourcesException(Reason reason, String kind, List<String> sourceIds) {
    super("Nothing was consolidated: %s %s%s".formatted(reason.text, kind, Checks.some(sourceIds)));
    this.reason = reason;
    this.sourceIds = List.copyOf(sourceIds);
  }

  /**
   * Why they were refused.
   *
   * @return the reason
   */
  public Reason reason() {
    return reason;
  }

  /**
   * The sources that were refused.
   *
   * @return their ids, in order
   */
  public List<String> sourceIds() {
    return sourceIds;
  }
}
