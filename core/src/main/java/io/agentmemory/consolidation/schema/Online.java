package io.agentmemory.consolidation.schema;

import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * How indexes on existing tables are built.
 *
 * @param builds where
 * @param threshold the size in bytes from which a table counts as large
 * @param waits whether to wait for what somebody else is building
 * @param listener told of progress, or null
 * @param direct connections that lead past a pooler, or null for those of the schema
 * @param resources what a build may take
 */
record Online(
    IndexBuilds builds,
    long threshold,
    boolean waits,
    @Nullable ProgressListener listener,
    @Nullable DataSource direct,
    BuildResources resources) {
  static final Online DEFAULT =
      new Online(IndexBuilds.AUTOMATIC, 64L << 20, false, null, null, BuildResources.DEFAULT);

  Online {
    if (threshold < 0) {
      throw new IllegalArgumentException("The threshold must not be negative: " + threshold);
    }
  }

  Online with(IndexBuilds other) {
    return new Online(other, threshold, waits, listener, direct, resources);
  }

  Online withThreshold(long bytes) {
    return new Online(builds, bytes, waits, listener, direct, resources);
  }

  Online waiting() {
    return new Online(builds, threshold, true, listener, direct, resources);
  }

  Online with(ProgressListener other) {
    return new Online(builds, threshold, waits, other, direct, resources);
  }

  Online through(DataSource other) {
    return new Online(builds, threshold, waits, listener, other, resources);
  }

  Online with(BuildResources other) {
    return new Online(builds, threshold, waits, listener, direct, other);
  }
}
