/**
 * The main job on real input: task memories from a file are embedded, stored, consolidated and
 * found again. A stand-in for an application, not a part of the library.
 */
@NullMarked
package io.agentmemory.consolidation.quickstart;

import org.jspecify.annotations.NullMarked;
