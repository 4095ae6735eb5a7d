/**
 * Deadlocks whose circle of waits leads over several nodes. Nothing here knows Vert.x.
 *
 * <p>Each node tells its {@link com.fastn.context.status.NodeWaits}; a {@link
 * com.fastn.status.deadlock.ClusterDeadlockSearch} asks for them twice and gives the cycles
 * that it proves to have been there, and {@link com.fastn.status.deadlock.StandingDeadlocks} keeps them until they are resolved.
 */
@NullMarked
package com.fastn.status.deadlock;

import org.jspecify.annotations.NullMarked;
