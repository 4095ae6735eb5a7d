package com.fastn.context.kotlin

import com.fastn.context.ContextRuntime
import com.fastn.context.FastnContext
import com.fastn.context.status.StatusSnapshot
import java.util.concurrent.Flow.Subscriber
import java.util.concurrent.Flow.Subscription
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/**
 * Gives snapshots as the tree changes: the first at once, later ones when something changed and at most one per second. A
 * slow collector gets the newest when it is ready again. Nothing is taken while nobody collects.
 */
public fun ContextRuntime.statusFlow(): Flow<StatusSnapshot> = flow {
    val demand = OneAtATime<StatusSnapshot>()
    statusStream().subscribe(demand)
    try {
        while (true) {
            emit(demand.next() ?: break)
        }
    } finally {
        demand.stop()
    }
}

/** Gives the snapshots of the tree that the current context belongs to; see [ContextRuntime.statusFlow]. */
public fun statusFlow(): Flow<StatusSnapshot> = FastnContext.current().runtime().statusFlow()

/** Asks a publisher for one item at a time. */
private class OneAtATime<T : Any> : Subscriber<T> {
    private val subscription = CompletableDeferred<Subscription>()
    @Volatile private var current: Subscription? = null
    @Volatile private var stopped = false
    private val items = Channel<T>(capacity = 1)

    /** Suspends for the next item; null when there will be none. */
    suspend fun next(): T? {
        subscription.await().request(1)
        val item = items.receiveCatching()
        item.exceptionOrNull()?.let { throw it }
        return item.getOrNull()
    }

    /** Ends the subscription, also one that comes later. */
    fun stop() {
        stopped = true
        current?.cancel()
    }

    override fun onSubscribe(subscription: Subscription) {
        current = subscription
        if (stopped) {
            subscription.cancel()
        }
        this.subscription.complete(subscription)
    }

    override fun onNext(item: T) {
        items.trySend(item)
    }

    override fun onError(failure: Throwable) {
        items.close(failure)
    }

    override fun onComplete() {
        items.close()
    }
}
