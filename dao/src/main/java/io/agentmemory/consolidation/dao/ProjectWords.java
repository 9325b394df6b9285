package io.agentmemory.consolidation.dao;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * How many memories of a project hold each lexeme, as of some moment. Eight bytes a lexeme: 48 bits
 * of a hash and a count of 16 bits.
 */
final class ProjectWords {
  /** From about how many memories of a project words are counted at most; counts fit 16 bits. */
  static final int SAMPLE = 50_000;

  private static final int COUNT_BITS = 16;
  private static final long COUNT_MASK = (1L << COUNT_BITS) - 1;

  /** Whether one of the threads that use these counts is getting newer ones. */
  final AtomicBoolean renewing = new AtomicBoolean();

  private final long rows;
  private final double rowsOfTable;
  private final long sampled;
  private final long[] counts;
  private final long validUntil;

  private ProjectWords(long rows, double rowsOfTable, long[] counts, long validUntil) {
    this.rows = rows;
    this.rowsOfTable = rowsOfTable;
    this.sampled = Math.min(rows, SAMPLE);
    this.counts = counts;
    this.validUntil = validUntil;
  }

  /** The same counts, to be used until then. */
  ProjectWords validUntil(long nanoTime) {
    return new ProjectWords(rows, rowsOfTable, counts, nanoTime);
  }

  /** How many memories the project has. */
  long rows() {
    return rows;
  }

  /** About the project's share of the table; 0 if unknown. */
  double share() {
    return rowsOfTable > 0 ? rows / rowsOfTable : 0;
  }

  /** Whether not all of its memories were looked at, so that others may hold other words. */
  boolean isSampled() {
    return sampled < rows;
  }

  int size() {
    return counts.length;
  }

  boolean isValidAt(long nanoTime) {
    return nanoTime - validUntil < 0;
  }

  /** The lexeme's weight, from the count or from what the sample makes likely. */
  WordWeight weigh(String lexeme) {
    long hash = hash(lexeme);
    int at = Arrays.binarySearch(counts, hash);
    int found = at >= 0 ? at : -at - 1;
    long count =
        found < counts.length && (counts[found] & ~COUNT_MASK) == hash
            ? counts[found] & COUNT_MASK
            : 0;
    return WordWeight.of(
        lexeme, sampled == rows ? count : Math.round((double) count * rows / sampled), rows);
  }

  /** 48 bits of FNV-1a over the characters, mixed, above 16 zeros. */
  private static long hash(String lexeme) {
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < lexeme.length(); i++) {
      hash = (hash ^ lexeme.charAt(i)) * 0x100000001b3L;
    }
    hash = (hash ^ hash >>> 33) * 0xff51afd7ed558ccdL;
    return (hash ^ hash >>> 29) & ~COUNT_MASK;
  }

  /** Collects counts. */
  static final class Builder {
    private long[] counts = new long[1_024];
    private int size;

    void add(String lexeme, int holding) {
      if (size == counts.length) {
        counts = Arrays.copyOf(counts, 2 * size);
      }
      counts[size++] = hash(lexeme) | Math.min(holding, COUNT_MASK);
    }

    ProjectWords build(long rows, double rowsOfTable, long validUntil) {
      long[] sorted = Arrays.copyOf(counts, size);
      Arrays.sort(sorted);
      return new ProjectWords(rows, rowsOfTable, sorted, validUntil);
    }
  }
}
