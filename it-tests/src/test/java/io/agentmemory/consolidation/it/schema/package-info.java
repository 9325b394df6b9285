/** The schema on a real server: up, down, adopted, raced, scripted, verified. */
@NullMarked
package io.agentmemory.consolidation.it.schema;

import org.jspecify.annotations.NullMarked;
