/** An immutable description of tables and of what changes them, rendered to PostgreSQL's SQL. */
@NullMarked
package io.agentmemory.consolidation.ddl;

import org.jspecify.annotations.NullMarked;
