/** Consolidated memories, their sources and the jobs that make them, in and out of PostgreSQL. */
@NullMarked
package io.agentmemory.consolidation.dao;

import org.jspecify.annotations.NullMarked;
