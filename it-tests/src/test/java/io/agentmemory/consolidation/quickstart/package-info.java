@NullMarked
package io.agentmemory.consolidation.quickstart;

import org.jspecify.annotations.NullMarked;
