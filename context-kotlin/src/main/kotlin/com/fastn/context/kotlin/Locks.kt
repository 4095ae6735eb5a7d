package com.fastn.context.kotlin

import com.fastn.context.ContextEngine
import com.fastn.context.ContextEngine.LockScope
import com.fastn.context.ContextLock
import com.fastn.context.ContextMutex
import com.fastn.context.ContextReadWriteLock
import com.fastn.context.ContextRuntime
import com.fastn.context.ContextSemaphore
import com.fastn.context.LockGuard
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionException
import java.util.concurrent.CompletionStage
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.coroutineContext
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlin.coroutines.suspendCoroutine
import kotlinx.coroutines.CopyableThreadContextElement
import kotlinx.coroutines.DelicateCoroutinesApi
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withContext

/**
 * Runs a block while holding this mutex, and releases it whatever happens.
 *
 * The holder is the context that is current when this is called. While it waits, a cancelled coroutine leaves the queue, and
 * one that is cancelled after the grant but before it goes on gives the lock back without having seen it.
 *
 * The block is the work of a `withLock`: the end of its context does not take the lock away, a deadlock of such blocks is
 * proven, and to ask for the same lock again inside of the block fails at once with a `SelfDeadlockException`. That holds
 * for what the coroutine itself does, also in another dispatcher; a coroutine that it launches or starts with `async` is a
 * branch of its own, and queues.
 *
 * It is not called `withLock` because the method of that name, which works with stages, would take each call.
 *
 * @param block is given the protected value
 */
public suspend fun <T, R> ContextMutex<T>.holding(block: suspend (T) -> R): R =
    inScope(this, block) { work: (T) -> CompletionStage<Unit> -> withLock(work) }

/**
 * Runs a block while holding this mutex, if it is granted in time. See [ContextMutex.holding]. A `withTimeout` around a
 * block ends the wait too, but no status and no report of a deadlock knows of it beforehand.
 *
 * @param timeout how long to wait for the lock
 * @param block is given the protected value
 * @throws com.fastn.context.LockTimeoutException when the time runs out first
 */
public suspend fun <T, R> ContextMutex<T>.holding(timeout: Duration, block: suspend (T) -> R): R =
    inScope(this, block) { work: (T) -> CompletionStage<Unit> -> withLock(timeout, work) }

/**
 * Runs a block while holding this lock for reading, and releases it whatever happens. See [ContextMutex.holding].
 *
 * @param block is given the protected value
 */
public suspend fun <T, R> ContextReadWriteLock<T>.reading(block: suspend (T) -> R): R =
    inScope(this, block) { work: (T) -> CompletionStage<Unit> -> withReadLock(work) }

/**
 * Runs a block while holding this lock for reading, if it is granted in time. See [ContextMutex.holding].
 *
 * @param timeout how long to wait for the lock
 * @param block is given the protected value
 * @throws com.fastn.context.LockTimeoutException when the time runs out first
 */
public suspend fun <T, R> ContextReadWriteLock<T>.reading(timeout: Duration, block: suspend (T) -> R): R =
    inScope(this, block) { work: (T) -> CompletionStage<Unit> -> withReadLock(timeout, work) }

/**
 * Runs a block while holding this lock for writing, and releases it whatever happens. See [ContextMutex.holding].
 *
 * @param block is given the guard, to read and replace the protected value
 */
public suspend fun <T, R> ContextReadWriteLock<T>.writing(block: suspend (LockGuard<T>) -> R): R =
    inScope(this, block) { work: (LockGuard<T>) -> CompletionStage<Unit> -> withWriteLock(work) }

/**
 * Runs a block while holding this lock for writing, if it is granted in time. See [ContextMutex.holding].
 *
 * @param timeout how long to wait for the lock
 * @param block is given the guard, to read and replace the protected value
 * @throws com.fastn.context.LockTimeoutException when the time runs out first
 */
public suspend fun <T, R> ContextReadWriteLock<T>.writing(timeout: Duration, block: suspend (LockGuard<T>) -> R): R =
    inScope(this, block) { work: (LockGuard<T>) -> CompletionStage<Unit> -> withWriteLock(timeout, work) }

/**
 * Runs a block while holding permits of this semaphore, and gives them back whatever happens. See [ContextMutex.holding].
 *
 * @param permits how many
 * @param block the work
 */
public suspend fun <R> ContextSemaphore.holding(permits: Int = 1, block: suspend () -> R): R =
    inScope(this, { _: Unit -> block() }) { work: (Unit) -> CompletionStage<Unit> -> withPermits(permits) { work(Unit) } }

/**
 * Runs a block while holding one permit of this semaphore, if it is granted in time. See [ContextMutex.holding].
 *
 * @param timeout how long to wait for the permit
 * @param block the work
 * @throws com.fastn.context.LockTimeoutException when the time runs out first
 */
public suspend fun <R> ContextSemaphore.holding(timeout: Duration, block: suspend () -> R): R = holding(1, timeout, block)

/**
 * Runs a block while holding permits of this semaphore, if they are granted in time. See [ContextMutex.holding].
 *
 * @param permits how many
 * @param timeout how long to wait for them
 * @param block the work
 * @throws com.fastn.context.LockTimeoutException when the time runs out first
 */
public suspend fun <R> ContextSemaphore.holding(permits: Int, timeout: Duration, block: suspend () -> R): R =
    inScope(this, { _: Unit -> block() }) { work: (Unit) -> CompletionStage<Unit> ->
        withPermits(permits, timeout) { work(Unit) }
    }

/**
 * Runs a block in the coroutine that calls, as the work of a `withLock`.
 *
 * @param ask calls that, with work that gives the stage which ends it
 */
private suspend fun <V, R> inScope(
    lock: ContextLock,
    block: suspend (V) -> R,
    ask: ((V) -> CompletionStage<Unit>) -> CompletionStage<Unit>,
): R {
    val runtime = lock.context().runtime()
    val inside = coroutineContext[ScopeElement]?.scope
    val end = CompletableFuture<Unit>()
    lateinit var asked: CompletionStage<Unit>
    val held = suspendCancellableCoroutine { continuation ->
        asked = askInside(runtime, inside) {
            ask { value ->
                val scope = ContextEngine.get().takeScope(runtime, block)
                // Whoever no longer waits when it comes gives it back.
                continuation.resume(Held(value, scope)) { _, _, _ -> end.complete(Unit) }
                end
            }
        }
        asked.whenComplete { _, failure ->
            if (failure != null) {
                continuation.resumeWithException((failure as? CompletionException)?.cause ?: failure)
            }
        }
        continuation.invokeOnCancellation { asked.toCompletableFuture().cancel(false) }
    }
    try {
        return withContext(ScopeElement(held.scope, entered = false)) { block(held.value) }
    } finally {
        end.complete(Unit)
        // The thread that handed the lock over may still be about to learn what ends the work.
        val released = asked.toCompletableFuture()
        if (!released.isDone) {
            suspendCoroutine { continuation -> released.whenComplete { _, _ -> continuation.resume(Unit) } }
        }
    }
}

private class Held<V>(val value: V, val scope: LockScope)

private fun askInside(
    runtime: ContextRuntime,
    scope: LockScope?,
    ask: () -> CompletionStage<Unit>,
): CompletionStage<Unit> {
    if (scope == null) {
        return ask()
    }
    val before = ContextEngine.get().enterScope(runtime, scope)
    try {
        return ask()
    } finally {
        ContextEngine.get().enterScope(runtime, before)
    }
}

/**
 * The innermost work of a `withLock` that a coroutine is inside of. Coroutines that it launches are branches, and inside of
 * none: they get a copy, as every element of this type is copied for them. It is also copied once when it is entered.
 */
@OptIn(DelicateCoroutinesApi::class, ExperimentalCoroutinesApi::class)
private class ScopeElement(val scope: LockScope?, private val entered: Boolean) :
    AbstractCoroutineContextElement(Key), CopyableThreadContextElement<Unit> {

    companion object Key : CoroutineContext.Key<ScopeElement>

    private fun copy() = ScopeElement(if (entered) null else scope, entered = true)

    override fun copyForChild(): ScopeElement = copy()

    override fun mergeForChild(overwritingElement: CoroutineContext.Element): CoroutineContext =
        (overwritingElement as ScopeElement).copy()

    override fun updateThreadContext(context: CoroutineContext) = Unit

    override fun restoreThreadContext(context: CoroutineContext, oldState: Unit) = Unit
}
