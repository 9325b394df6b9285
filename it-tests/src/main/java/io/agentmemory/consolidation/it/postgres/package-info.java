/** A real PostgreSQL with pgvector for tests, quickstart and benchmarks, wherever it runs. */
@NullMarked
package io.agentmemory.consolidation.it.postgres;

import org.jspecify.annotations.NullMarked;
