package com.fastn.context.kotlin

import com.fastn.context.ContextBuilder
import com.fastn.context.ContextCancelledException
import com.fastn.context.FastnContext
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/**
 * Runs a block in a new child, which closes when the block and all coroutines launched in its scope are done.
 *
 * Cancellation goes both ways. When the child is cancelled, the block is, and this function throws a
 * [ContextCancelledException]. When the coroutine is cancelled, the child is, and everything below it. A failure is left on
 * the child as the datum `failure`: the name of the exception's class, not its message, which may hold secrets.
 *
 * @param name the child's name; any text is accepted and made safe
 * @param block is given the child, which is the current context inside of it
 */
public suspend fun <T> FastnContext.child(name: String, block: suspend CoroutineScope.(FastnContext) -> T): T =
    child(name).within(block)

/**
 * Runs a block in the child that this builder describes; see the block form of [FastnContext.child].
 *
 * @param block is given the child, which is the current context inside of it
 */
public suspend fun <T> ContextBuilder.within(block: suspend CoroutineScope.(FastnContext) -> T): T {
    val child = open()
    try {
        return withContext(child.asElement()) {
            val job = coroutineContext.job
            val registration = child.onCancel { reason ->
                job.cancel(ContextCancelledException("the coroutine in ${child.path()} was cancelled", reason))
            }
            // Coroutines that the block launched are waited for after it has returned, and can be cancelled as long.
            job.invokeOnCompletion { registration.close() }
            block(child)
        }
    } catch (e: CancellationException) {
        // No effect if it was the child's own cancellation that came this way.
        child.cancel("its coroutine was cancelled: ${e.message}")
        throw e
    } catch (e: Throwable) {
        child.setData("failure", e.javaClass.name)
        child.failed(e)
        throw e
    } finally {
        child.close()
    }
}

/**
 * Launches a coroutine in a new child of the current context; see the block form of [FastnContext.child].
 *
 * @param name the child's name
 * @param block is given the child, which is the current context inside of it
 */
public fun CoroutineScope.launchChild(
    name: String,
    block: suspend CoroutineScope.(FastnContext) -> Unit,
): Job = launch { currentFastnContext().child(name, block) }

/**
 * Starts a coroutine in a new child of the current context, for its result; see the block form of [FastnContext.child].
 *
 * @param name the child's name
 * @param block is given the child, which is the current context inside of it
 */
public fun <T> CoroutineScope.asyncChild(
    name: String,
    block: suspend CoroutineScope.(FastnContext) -> T,
): Deferred<T> = async { currentFastnContext().child(name, block) }
