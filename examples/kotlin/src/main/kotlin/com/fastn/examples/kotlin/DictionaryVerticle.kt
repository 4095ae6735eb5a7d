package com.fastn.examples.kotlin

import io.vertx.kotlin.coroutines.CoroutineEventBusSupport
import io.vertx.kotlin.coroutines.CoroutineVerticle
import io.vertx.kotlin.coroutines.coAwait
import kotlin.time.Duration
import kotlinx.coroutines.delay

/** Knows how to greet in a few languages, and takes its time to find out. */
class DictionaryVerticle(private val pace: Duration) : CoroutineVerticle(), CoroutineEventBusSupport {
    override suspend fun start() {
        vertx.eventBus().coConsumer<String>("dictionary") { question ->
            delay(pace)
            question.reply(WORDS[question.body()] ?: "Hello")
        }.completion().coAwait()
    }

    private companion object {
        val WORDS = mapOf("en" to "Good day", "fr" to "Bonjour", "hi" to "Namaste", "tr" to "Merhaba")
    }
}
