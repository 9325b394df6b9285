package io.agentmemory.consolidation.it.hostile;

import io.agentmemory.consolidation.dao.ConsolidationObserver;
import io.agentmemory.consolidation.dao.DatabaseException;
import io.agentmemory.consolidation.dao.InvalidInputException;
import io.agentmemory.consolidation.dao.PartialLoadException;
import io.agentmemory.consolidation.schema.ConsolidationException;
import io.agentmemory.consolidation.schema.SchemaSqlException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Whether a call may end as it did, going by what is documented. */
final class Verdict {
  private static final int LONGEST_MESSAGE = 5_000;
  private static final String CANCELED = "57014";

  private Verdict() {}

  /** What a callback of the caller's throws. */
  static final class CallbackFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    CallbackFailure(String message) {
      super(message);
    }
  }

  /** What is wrong with this end of a call, null: nothing. */
  static @Nullable String of(
      Executable entry, @Nullable Object[] arguments, @Nullable Throwable thrown) {
    if (thrown == null || thrown instanceof CallbackFailure) {
      return null;
    }
    Throwable first = thrown instanceof PartialLoadException ? thrown.getCause() : thrown;
    if (first instanceof DatabaseException failure && !canceled(failure)) {
      return "refused by the database, SQLSTATE " + failure.sqlState();
    }
    if (thrown instanceof SchemaSqlException failure && !ofADefinition(failure)) {
      return "refused by the database, SQLSTATE " + failure.sqlState();
    }
    if (!(thrown instanceof ConsolidationException) && !misuse(entry, arguments, thrown)) {
      return "not a documented exception";
    }
    return ofMessages(thrown);
  }

  /**
   * Timeouts are set at random, and that of a load's COPY at the server; another limit of the
   * server's is for what would not end.
   */
  private static boolean canceled(DatabaseException failure) {
    return CANCELED.equals(failure.sqlState())
        && (failure.operation().equals("memories.load")
            || !String.valueOf(failure.getMessage()).contains("statement timeout"));
  }

  /**
   * Definitions hold SQL, which the server may refuse: syntax, what is not there, data, limits,
   * what it does not support, dependent objects.
   */
  private static boolean ofADefinition(SchemaSqlException failure) {
    String state = String.valueOf(failure.sqlState());
    return List.of("42", "3F", "22", "54", "0A", "2B").contains(state.substring(0, 2));
  }

  /** Schema options refuse as the JDK does; so do values that only ever come from the library. */
  private static boolean misuse(Executable entry, @Nullable Object[] arguments, Throwable thrown) {
    if (thrown instanceof IllegalStateException) {
      return Set.of("ConsolidationJob.lease()", "ColumnType.array()")
          .contains(EntryPoints.name(entry));
    }
    boolean core = !entry.getDeclaringClass().getPackageName().endsWith(".dao");
    return (core && thrown.getClass().equals(IllegalArgumentException.class))
        || (thrown instanceof NullPointerException
            && Arguments.holdNull(arguments)
            && (core || entry instanceof Constructor || isOfAnObserver(entry)));
  }

  /** The library alone calls it. */
  private static boolean isOfAnObserver(Executable entry) {
    return ConsolidationObserver.class.isAssignableFrom(entry.getDeclaringClass());
  }

  private static @Nullable String ofMessages(Throwable thrown) {
    Throwable at = thrown;
    for (int depth = 0; at != null && depth < 10; depth++, at = at.getCause()) {
      String message = String.valueOf(at.getMessage());
      if (message.contains(Tenants.HIDDEN)) {
        return "the message holds what is another project's";
      }
      if (at instanceof InvalidInputException && message.length() > LONGEST_MESSAGE) {
        return "the message has " + message.length() + " characters";
      }
      if (at instanceof InvalidInputException
          && message.chars().anyMatch(c -> Character.isISOControl(c) || c == 0x202e)) {
        return "the message holds control characters";
      }
    }
    return null;
  }
}
