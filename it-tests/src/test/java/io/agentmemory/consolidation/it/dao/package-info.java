/** What the data access objects promise, on a real PostgreSQL. */
@NullMarked
package io.agentmemory.consolidation.it.dao;

import org.jspecify.annotations.NullMarked;
