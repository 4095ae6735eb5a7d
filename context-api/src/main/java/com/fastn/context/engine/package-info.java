/**
 * The engine behind the API: the tree, the counters, the locks and the taking of snapshots. It knows no Vert.x.
 *
 * <p>A tour: {@link com.fastn.context.engine.Engine} is the service that the API finds;
 * {@link com.fastn.context.engine.EngineRuntime} one tree with its counters; {@link com.fastn.context.engine.ContextNode}
 * one context of it, with what few contexts have in {@code NodeExtras}. {@code CounterStore} keeps counts by path and folds
 * what is too much,
 * {@code RecentContexts} and {@code FinishWindows} remember what ended,
 * {@code FifoMutex} is the lock, {@code SnapshotTaker} walks the tree and {@code WarningRules} judge what it found.
 */
@NullMarked
package com.fastn.context.engine;

import org.jspecify.annotations.NullMarked;
