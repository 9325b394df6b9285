package io.agentmemory.consolidation.schema;

import io.agentmemory.consolidation.ddl.Index;

/**
 * An index that the history records as still to be made.
 *
 * @param revision the revision that makes it
 * @param index the index
 */
record PendingIndex(String revision, Index index) {}
