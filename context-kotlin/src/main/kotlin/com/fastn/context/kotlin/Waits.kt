package com.fastn.context.kotlin

import com.fastn.context.FastnContext
import com.fastn.context.status.CancelReason
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
