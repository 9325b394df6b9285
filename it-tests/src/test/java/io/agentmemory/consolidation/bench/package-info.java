/**
 * The benchmark: the library, other libraries and plain SQL on the same server and the same data,
 * in interleaved rounds of one run.
 */
@NullMarked
package io.agentmemory.consolidation.bench;

import org.jspecify.annotations.NullMarked;
