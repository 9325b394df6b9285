/** Calls with hostile arguments: what may come of them, and what never. */
@NullMarked
package io.agentmemory.consolidation.it.hostile;

import org.jspecify.annotations.NullMarked;
