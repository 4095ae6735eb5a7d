/**
 * The picture of a moment: immutable records of what a runtime was doing, how they are drawn for people and written for
 * programs, and the small values that they share with the API.
 *
 * <p>A tour: {@link com.fastn.context.status.StatusSnapshot} is one node, {@link com.fastn.context.status.ClusterStatus}
 * all of them. {@link com.fastn.context.status.ContextStatus} is one row of the tree,
 * {@link com.fastn.context.status.LockStatus} and {@link com.fastn.context.status.LockWaiter} who holds and who waits.
 * {@link com.fastn.context.status.StatusRenderer} draws, {@link com.fastn.context.status.StatusJson} writes and reads.
 * Nothing here knows the engine, a clock or Vert.x.
 */
@NullMarked
package com.fastn.context.status;

import org.jspecify.annotations.NullMarked;
