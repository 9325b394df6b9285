package io.agentmemory.consolidation.schema;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How far an online index build is, or the conversion of a column.
 *
 * <p>Immutable and thread-safe.
 *
 * @param index the index's name, without its schema; the column's where one is converted
 * @param phase what the server is doing, in its words; {@link #FINISHED} at the end
 * @param unit what is counted: {@code blocks}, {@code tuples}, {@code rows}, or {@code
 *     transactions} that the build waits for; empty where the phase counts nothing
 * @param done how many of them are done in this phase
 * @param total how many there are; 0 where the server does not say
 * @param perSecond how many a second since the phase began; 0 where nothing is known yet
 * @param left how long the phase will take at that rate, or null where that is not known
 * @param elapsed since the build of this index began
 */
public record BuildProgress(
    String index,
    String phase,
    String unit,
    long done,
    long total,
    double perSecond,
    @Nullable Duration left,
    Duration elapsed) {
  /** The phase of the last report: the index is there, and valid; or all rows are converted. */
  public static final String FINISHED = "finished";

  /**
   * Refuses nulls where none may stand.
   *
   * @param index the index's name, without its schema; the column's where one is converted
   * @param phase what the server is doing, in its words; {@link #FINISHED} at the end
   * @param unit what is counted: {@code blocks}, {@code tuples}, {@code rows}, or {@code
   *     transactions} that the build waits for; empty where the phase counts nothing
   * @param done how many of them are done in this phase
   * @param total how many there are; 0 where the server does not say
   * @param perSecond how many a second since the phase began; 0 where nothing is known yet
   * @param left how long the phase will take at that rate, or null where that is not known
   * @param elapsed since the build of this index began
   */
  public BuildProgress {
    Objects.requireNonNull(index, "index");
    Objects.requireNonNull(phase, "phase");
    Objects.requireNonNull(unit, "unit");
    Objects.requireNonNull(elapsed, "elapsed");
  }
}
