/**
 * What the build itself promises: its gates, its architecture, and jars that a stranger can use.
 */
@NullMarked
package io.agentmemory.consolidation.it.build;

import org.jspecify.annotations.NullMarked;
