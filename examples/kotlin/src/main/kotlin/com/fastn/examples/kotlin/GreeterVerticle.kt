package com.fastn.examples.kotlin

import com.fastn.context.vertx.FutureContext
import com.fastn.context.vertx.FutureMutex
import io.vertx.core.Future
import io.vertx.core.eventbus.Message
import io.vertx.core.json.JsonObject
import io.vertx.kotlin.coroutines.CoroutineEventBusSupport
import io.vertx.kotlin.coroutines.CoroutineVerticle
import io.vertx.kotlin.coroutines.coAwait

/**
 * Greets everybody in their language: asks a dictionary for the words, and remembers them.
 *
 * Whoever needs words that are not known yet holds a lock while the dictionary is asked, so that many guests of one language
 * ask it once. The status shows who holds the lock, what for, and who waits.
 */
class GreeterVerticle : CoroutineVerticle(), CoroutineEventBusSupport {
    private lateinit var greeter: FutureContext
    private lateinit var knownWords: FutureMutex<MutableMap<String, String>>

    override suspend fun start() {
        // Here the current context is the verticle's own: counters and locks on it outlive every request.
        greeter = FutureContext.current()
        knownWords = greeter.mutex("known words", mutableMapOf())
        vertx.eventBus().coConsumer<JsonObject>("greet") { greet(it) }.completion().coAwait()
    }

    private suspend fun greet(request: Message<JsonObject>) {
        val guest: String = request.body().getString("guest")
        val language: String = request.body().getString("language")
        greeter.incrementTotal("guests")
        // Each message has a context already; this gives the part that can take long a name and data of its own.
        val words = FutureContext.current()
            .child("find words")
            .withData("guest", guest)
            .withData("language", language)
            .run { finding -> wordsOf(language, finding) }
            .coAwait()
        request.reply("$words, $guest!")
    }

    private fun wordsOf(language: String, finding: FutureContext): Future<String> =
        knownWords.withLock { words ->
            when (val known = words[language]) {
                null -> finding.awaiting("dictionary", lookUp(language)).onSuccess { words[language] = it }
                else -> Future.succeededFuture(known)
            }
        }

    private fun lookUp(language: String): Future<String> =
        vertx.eventBus().request<String>("dictionary", language).map { it.body() }
            .onSuccess { greeter.incrementTotal("words_learned") }
}
