package com.fastn.context.kotlin

import com.fastn.context.ContextScope
import com.fastn.context.FastnContext
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.coroutineContext
import kotlinx.coroutines.ThreadContextElement

/**
 * The context that a coroutine runs in, as an element of its coroutine context.
 *
 * Whenever the coroutine runs on a thread, on whatever dispatcher, the context is the current one of that thread or of its
 * Vert.x context, and the previous one is restored when the coroutine suspends. Coroutines launched below inherit it.
 *
 * @property context the context
 */
public class FastnContextElement(public val context: FastnContext) :
    AbstractCoroutineContextElement(Key), ThreadContextElement<ContextScope> {

    /** The key of the element. */
    public companion object Key : CoroutineContext.Key<FastnContextElement>

    override fun updateThreadContext(context: CoroutineContext): ContextScope = this.context.makeCurrent()

    override fun restoreThreadContext(context: CoroutineContext, oldState: ContextScope) {
        oldState.close()
    }

    override fun toString(): String = "FastnContextElement(${context.path()}#${context.id()})"
}

/** Gives the coroutine element with which `launch`, `async` and `withContext` run in this context. */
public fun FastnContext.asElement(): FastnContextElement = FastnContextElement(this)

/**
 * Gives the context that the coroutine runs in: that of its [FastnContextElement], else [FastnContext.current]. Never null:
 * off any context it is the root of the default runtime.
 */
public suspend fun currentFastnContext(): FastnContext =
    coroutineContext[FastnContextElement]?.context ?: FastnContext.current()
