package com.fastn.context.kotlin

import com.fastn.context.ContextMutex
import com.fastn.context.ContextReadWriteLock
import com.fastn.context.ContextSemaphore
import com.fastn.context.FastnContext
import com.fastn.context.HeldGuard
import com.fastn.context.LockGuard
import com.fastn.context.status.CancelReason
import java.util.concurrent.CompletionException
import java.util.concurrent.CompletionStage
import kotlin.coroutines.resumeWithException
import kotlinx.coroutines.suspendCancellableCoroutine

/**
 * Names a suspending piece of work, so that a snapshot shows what this context is inside of, and since when.
 *
 * @param name such as `db-query`
 * @param block the work
 */
public suspend fun <T> FastnContext.awaiting(name: String, block: suspend () -> T): T = operation(name).use { block() }

/** Suspends until this context is cancelled, and says why it was. */
public suspend fun FastnContext.awaitCancelled(): CancelReason =
    suspendCancellableCoroutine { continuation ->
        val registration = onCancel { reason -> continuation.resume(reason) { _, _, _ -> } }
        continuation.invokeOnCancellation { registration.close() }
    }

/**
 * Runs a block while holding this mutex, and releases it whatever happens.
 *
 * The holder is the context that is current when this is called. While it waits, a cancelled coroutine leaves the queue, and
 * one that is cancelled after the grant but before it goes on gives the lock back without having seen it.
 *
 * It is not called `withLock` because the method of that name, which works with stages, would take each call.
 *
 * @param block is given the protected value
 */
public suspend fun <T, R> ContextMutex<T>.holding(block: suspend (T) -> R): R =
    lock().awaitGuard().use { guard -> block(guard.value()) }

/**
 * Runs a block while holding this lock for reading, and releases it whatever happens. See [ContextMutex.holding].
 *
 * @param block is given the protected value
 */
public suspend fun <T, R> ContextReadWriteLock<T>.reading(block: suspend (T) -> R): R =
    readLock().awaitGuard().use { guard -> block(guard.value()) }

/**
 * Runs a block while holding this lock for writing, and releases it whatever happens. See [ContextMutex.holding].
 *
 * @param block is given the guard, to read and replace the protected value
 */
public suspend fun <T, R> ContextReadWriteLock<T>.writing(block: suspend (LockGuard<T>) -> R): R =
    writeLock().awaitGuard().use { guard -> block(guard) }

/**
 * Runs a block while holding permits of this semaphore, and gives them back whatever happens. See [ContextMutex.holding].
 *
 * @param permits how many
 * @param block the work
 */
public suspend fun <R> ContextSemaphore.holding(permits: Int = 1, block: suspend () -> R): R =
    acquire(permits).awaitGuard().use { block() }

/** Waits for a guard. Whoever no longer waits when it comes has it closed. */
private suspend fun <G : HeldGuard> CompletionStage<G>.awaitGuard(): G =
    suspendCancellableCoroutine { continuation ->
        whenComplete { guard, failure ->
            if (failure == null) {
                continuation.resume(guard) { _, late, _ -> late.close() }
            } else {
                continuation.resumeWithException((failure as? CompletionException)?.cause ?: failure)
            }
        }
        continuation.invokeOnCancellation { toCompletableFuture().cancel(false) }
    }
