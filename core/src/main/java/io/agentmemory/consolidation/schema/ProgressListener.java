package io.agentmemory.consolidation.schema;

/**
 * Told how an online index build comes along. Called by a thread of the library, never by two at
 * once for one upgrade. What it throws ends the reporting, not the build.
 */
@FunctionalInterface
public interface ProgressListener {
  /**
   * Takes a report; a few each second while an index is built, and one when it is.
   *
   * @param progress how far it is
   */
  void progress(BuildProgress progress);
}
