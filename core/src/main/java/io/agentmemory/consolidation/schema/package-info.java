/** The schema of consolidated memories, its revisions, and how a database moves between them. */
@NullMarked
package io.agentmemory.consolidation.schema;

import org.jspecify.annotations.NullMarked;
