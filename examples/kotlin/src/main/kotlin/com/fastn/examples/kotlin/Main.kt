package com.fastn.examples.kotlin

import com.fastn.status.StatusOptions
import com.fastn.status.StatusVerticle
import io.vertx.core.Vertx
import io.vertx.core.json.JsonObject
import io.vertx.kotlin.coroutines.coAwait
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking

private val GUESTS = listOf("Ann" to "en", "Béa" to "fr", "Cem" to "tr", "Dora" to "en")

/** Has a few guests greeted at once, and shows what goes on meanwhile and what is left of it afterwards. */
fun main() = runBlocking<Unit> {
    val vertx = Vertx.vertx()
    try {
        // This is all it takes to be seen.
        vertx.deployVerticle(StatusVerticle(StatusOptions().setAlias("greeter"))).coAwait()
        vertx.deployVerticle(DictionaryVerticle(pace = 1.seconds)).coAwait()
        vertx.deployVerticle(GreeterVerticle()).coAwait()

        val greetings = GUESTS.map { (guest, language) -> async { vertx.greeting(guest, language) } }
        delay(500.milliseconds)
        println(vertx.statusTree())
        greetings.awaitAll().forEach(::println)
        println(vertx.statusTree())
    } finally {
        vertx.close().coAwait()
    }
}

private suspend fun Vertx.greeting(guest: String, language: String): String =
    eventBus().request<String>("greet", JsonObject().put("guest", guest).put("language", language)).coAwait().body()

private suspend fun Vertx.statusTree(): String =
    eventBus().request<String>("fastn.status", JsonObject().put("format", "text")).coAwait().body()
