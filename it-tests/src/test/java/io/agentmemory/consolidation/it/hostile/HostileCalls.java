package io.agentmemory.consolidation.it.hostile;

import io.agentmemory.consolidation.dao.PartialLoadException;
import io.agentmemory.consolidation.it.postgres.RecordedSql;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Calls entry points with generated arguments, and collects what must not be. */
final class HostileCalls {
  private static final Logger LOG = LoggerFactory.getLogger(HostileCalls.class);

  /** A few, since the same fault shows many times. */
  private static final int MOST_FAULTS = 25;

  private static final int CALLS_UNTIL_RESET = 200;

  private final long seed;
  private final List<Executable> entries;
  private final Arguments arguments;
  private final Around around;
  private final Map<String, String> faults = new LinkedHashMap<>();
  private final Set<String> called = new TreeSet<>();
  private int calls;
  private int refused;
  private int made;

  /** What goes on around each call. */
  interface Around {
    /** Begins afresh, now and then. */
    void reset() throws SQLException;

    void before() throws SQLException;

    /** What is wrong after a call, null: nothing. */
    @Nullable String after(Executable entry, @Nullable Object result, boolean mayHaveWritten)
        throws SQLException;

    /** Whether it is worth calling as often as all the others together. */
    boolean often(Executable entry);

    /** Whether it takes long. */
    boolean seldom(Executable entry);
  }

  HostileCalls(long seed, List<Executable> entries, Values values, Around around) {
    this.seed = seed;
    this.entries = entries;
    this.around = around;
    this.arguments = new Arguments(values, entries, this::make);
  }

  Arguments arguments() {
    return arguments;
  }

  /**
   * Each entry point a few times, then any at random; tells how long it took, and how often the
   * database was asked.
   *
   * @param usually how many calls, unless {@code -Dconsolidation.hostile.calls} says
   */
  void run(int usually, RecordedSql sql) throws SQLException {
    long start = System.nanoTime();
    run(Integer.getInteger("consolidation.hostile.calls", usually));
    LOG.info(
        "{}: {} s, {} times to the database, {} different texts",
        this,
        (System.nanoTime() - start) / 1_000_000_000,
        sql.uses(),
        sql.texts().size());
  }

  private void run(int times) throws SQLException {
    List<Executable> often = entries.stream().filter(around::often).toList();
    Values values = arguments.values();
    List<Executable> first = new ArrayList<>();
    for (int round = 0; round < 4; round++) {
      List<Executable> all = new ArrayList<>(entries);
      Collections.shuffle(all, new Random(seed + round));
      first.addAll(all);
    }
    for (int i = 0; calls < times && faults.size() < MOST_FAULTS; i++) {
      if (i % CALLS_UNTIL_RESET == 0) {
        arguments.forget();
        around.reset();
      }
      Executable entry =
          i < first.size()
              ? first.get(i)
              : values.one(often.isEmpty() || values.chance(0.3) ? entries : often);
      if (i < first.size() || !around.seldom(entry) || values.chance(0.05)) {
        call(entry);
      }
    }
  }

  private void call(Executable entry) throws SQLException {
    arguments.values().nextCall();
    around.before();
    Object receiver =
        EntryPoints.makes(entry) ? null : arguments.receiver(entry.getDeclaringClass());
    if (receiver == null && !EntryPoints.makes(entry)) {
      return;
    }
    @Nullable Object[] given = arguments.of(entry, 0);
    calls++;
    called.add(EntryPoints.name(entry));
    Object result = null;
    Throwable thrown = null;
    try {
      result = result(entry, receiver, given);
      see(entry, given, result);
    } catch (InvocationTargetException e) {
      thrown = e.getCause();
      refused++;
      judge(entry, given, thrown);
    }
    boolean mayHaveWritten = thrown == null || thrown instanceof PartialLoadException;
    String wrong = around.after(entry, result, mayHaveWritten);
    if (wrong != null) {
      fault(entry, given, wrong, thrown);
    }
  }

  private void see(Executable entry, @Nullable Object[] given, @Nullable Object result) {
    try {
      if (String.valueOf(result).contains(Tenants.HIDDEN)) {
        fault(entry, given, "the result holds what is another project's", null);
      }
      arguments.see(result);
    } catch (RuntimeException e) {
      fault(entry, given, "the result cannot be written out", e);
    }
  }

  /** For arguments: what the entry point gives, null if it throws. */
  private @Nullable Object make(
      Executable entry, @Nullable Object receiver, @Nullable Object[] given) {
    made++;
    try {
      return result(entry, receiver, given);
    } catch (InvocationTargetException e) {
      judge(entry, given, e.getCause());
      return null;
    }
  }

  private static @Nullable Object result(
      Executable entry, @Nullable Object receiver, @Nullable Object[] given)
      throws InvocationTargetException {
    try {
      return entry instanceof Constructor<?> constructor
          ? constructor.newInstance(given)
          : ((Method) entry).invoke(receiver, given);
    } catch (ReflectiveOperationException e) {
      if (e instanceof InvocationTargetException target) {
        throw target;
      }
      throw new IllegalStateException(EntryPoints.name(entry), e);
    }
  }

  private void judge(Executable entry, @Nullable Object[] given, Throwable thrown) {
    String wrong = Verdict.of(entry, given, thrown);
    if (wrong != null) {
      fault(entry, given, wrong, thrown);
    }
    if (thrown instanceof Exception) {
      entries.stream()
          .filter(accessor -> accessor.getDeclaringClass().equals(thrown.getClass()))
          .filter(accessor -> accessor instanceof Method)
          .forEach(accessor -> make(accessor, thrown, new Object[0]));
    }
  }

  private void fault(
      Executable entry, @Nullable Object[] given, String wrong, @Nullable Throwable thrown) {
    StringBuilder text = new StringBuilder();
    text.append("seed %d, call %d: %s%n  ".formatted(seed, calls, wrong));
    text.append(Arrays.stream(given).map(Values::shortened).toList());
    Throwable at = thrown;
    for (int depth = 0; at != null && depth < 4; depth++, at = at.getCause()) {
      text.append("%n  %s".formatted(Values.shortened(at)));
      Arrays.stream(at.getStackTrace())
          .filter(frame -> frame.getClassName().contains("consolidation"))
          .limit(4)
          .forEach(frame -> text.append("%n    %s".formatted(frame)));
    }
    String kind = thrown == null ? "" : thrown.getClass().getSimpleName();
    faults.putIfAbsent(EntryPoints.name(entry) + " " + wrong + " " + kind, text.toString());
  }

  Map<String, String> faults() {
    return faults;
  }

  Set<String> called() {
    return called;
  }

  @Override
  public String toString() {
    return "%,d calls (%,d done, %,d refused), %,d more to make their arguments, seed %d"
        .formatted(calls, calls - refused, refused, made, seed);
  }
}
