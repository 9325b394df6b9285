/** One class. */
@NullMarked
package io.agentmemory.gates;

import org.jspecify.annotations.NullMarked;
