/**
 * The engine behind the API: the tree, the counters, the locks and the taking of snapshots. It knows no Vert.x.
 *
 * <p>A tour: {@link com.fastn.context.engine.Engine} is the service that the API finds;
 * {@link com.fastn.context.engine.EngineRuntime} one tree with its counters; {@link com.fastn.context.engine.ContextNode}
 * one context of it, with what few contexts have in {@code NodeExtras} and what it gives up in {@code ContextEnd}. {@code
 * CounterStore} keeps counts by path and folds what is too much, {@code RecentContexts} and {@code FinishWindows} remember what ended.
 *
 * <p>{@code FifoLock} is under every lock: {@code FifoMutex}, {@code FifoReadWriteLock} and {@code FifoSemaphore}. A {@code
 * Waiter} in its {@code PermitQueue} becomes a {@code Grant} that {@code HandOff} tells of, and a {@code LockView} is what others
 * read of it. {@code DeadlockDetector} finds
 * by a {@code WaitForGraph} who can never go on, {@code CauseFinder} tells why contexts are stuck, and {@code EpisodeWatch} and
 * {@code EpisodeLog} remember when they were. {@code SnapshotTaker} walks the tree and {@code WarningRules} judge what it found.
 */
@NullMarked
package com.fastn.context.engine;

import org.jspecify.annotations.NullMarked;
