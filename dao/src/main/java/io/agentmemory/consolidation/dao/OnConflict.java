package io.agentmemory.consolidation.dao;

/**
 * What a load does with a memory whose id its own project holds already. An id that another project
 * holds fails the load under each of these, without telling whose it is.
 */
public enum OnConflict {
  /** The load fails with a {@link DuplicateIdException} that names the memory by its number. */
  FAIL,
  /** The memory that is there stays; of two in one load the first is taken. */
  SKIP,
  /**
   * The memory that is there is replaced in every part; of two in one load the last is taken. Its
   * {@code updatedAt} becomes the given time, or later where that was not later than before.
   */
  REPLACE
}
