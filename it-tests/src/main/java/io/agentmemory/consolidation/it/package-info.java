/** A PostgreSQL for the tests, the quickstart and the benchmarks. */
@NullMarked
package io.agentmemory.consolidation.it;

import org.jspecify.annotations.NullMarked;
