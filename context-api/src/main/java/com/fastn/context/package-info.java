/**
 * Hierarchical contexts: what an application is doing, as a tree that knows names, times, counts, locks and cancellation.
 *
 * <p>A tour: a {@link com.fastn.context.FastnContext} is one unit of work with a parent; {@code ctx.child("name")} gives a
 * {@link com.fastn.context.ContextBuilder} that opens a child or spawns a task in one. All contexts of a tree belong to a
 * {@link com.fastn.context.ContextRuntime}, which takes the {@linkplain com.fastn.context.status.StatusSnapshot snapshots}.
 * {@link com.fastn.context.ContextMutex}, {@link com.fastn.context.ContextReadWriteLock} and {@link
 * com.fastn.context.ContextSemaphore} are named locks that know their holders and their waiters;
 * {@link com.fastn.context.Operation} marks what a context is inside of.
 *
 * <p>Rules for callers: measuring never throws; use after close does no harm and is counted; cancellation asks work to
 * stop and does not wait for it; no code of yours is called under a lock of ours.
 */
@NullMarked
package com.fastn.context;

import org.jspecify.annotations.NullMarked;
