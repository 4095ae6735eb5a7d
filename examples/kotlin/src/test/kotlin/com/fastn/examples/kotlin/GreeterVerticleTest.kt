package com.fastn.examples.kotlin

import com.fastn.status.StatusOptions
import com.fastn.status.StatusVerticle
import io.vertx.core.Future
import io.vertx.core.Vertx
import io.vertx.core.eventbus.Message
import io.vertx.core.json.JsonObject
import io.vertx.junit5.VertxExtension
import io.vertx.kotlin.coroutines.coAwait
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.extension.ExtendWith

@ExtendWith(VertxExtension::class)
class GreeterVerticleTest {
    @Test
    fun whoHoldsTheLockWhatForAndWhoWaitsIsInTheStatusWhileItLasts(vertx: Vertx) = test {
        val dictionary = vertx.deployGreeter()
        val ann = vertx.greeting("Ann", "en")
        val question = dictionary.receive()
        val ben = vertx.greeting("Ben", "en")

        val meanwhile = vertx.statusWhere { it.lockWaiters().isNotEmpty() }

        val lock = meanwhile.activeLocks().single()
        assertThat(lock.getString("name")).isEqualTo("known words")
        assertThat(lock.getInteger("waiters")).isEqualTo(1)
        val holder = meanwhile.context(lock.getLong("holder_id"))
        assertThat(holder.getString("name")).isEqualTo("find words")
        assertThat(holder.getJsonObject("data"))
            .isEqualTo(JsonObject().put("guest", "Ann").put("language", "en"))
        assertThat(holder.operationNames()).contains("dictionary")
        val waiter = meanwhile.lockWaiters().single()
        assertThat(meanwhile.context(waiter.getLong("context_id")).getJsonObject("data").getString("guest"))
            .isEqualTo("Ben")

        question.reply("Good day")
        assertThat(ann.coAwait()).isEqualTo("Good day, Ann!")
        assertThat(ben.coAwait()).isEqualTo("Good day, Ben!")
    }

    @Test
    fun guestsOfOneLanguageAskTheDictionaryOnce(vertx: Vertx) = test {
        val dictionary = vertx.deployGreeter()
        // Totals belong to the process, so those of an earlier test are still there.
        val guestsBefore = vertx.status().total("guests")
        val learnedBefore = vertx.status().total("words_learned")
        val greetings = List(5) { vertx.greeting("guest $it", "en") }
        dictionary.receive().reply("Good day")
        greetings.forEach { it.coAwait() }

        // A message is answered a moment before its context ends.
        val after = vertx.statusWhere { status ->
            status.contexts().none { it.getString("name") in setOf("find words", "greet") }
        }

        assertThat(dictionary.tryReceive().isFailure).isTrue()
        assertThat(after.activeLocks()).isEmpty()
        assertThat(after.lockWaiters()).isEmpty()
        assertThat(after.total("guests") - guestsBefore).isEqualTo(5)
        assertThat(after.total("words_learned") - learnedBefore).isEqualTo(1)
    }

    @Test
    fun whenTheDictionaryFailsTheGuestIsToldAndTheNextIsServed(vertx: Vertx) = test {
        val dictionary = vertx.deployGreeter()
        val ann = vertx.greeting("Ann", "xx")
        dictionary.receive().fail(404, "no such language")
        assertThat(runCatching { ann.coAwait() }.exceptionOrNull()).hasMessageContaining("no such language")

        val ben = vertx.greeting("Ben", "en")
        dictionary.receive().reply("Good day")

        assertThat(ben.coAwait()).isEqualTo("Good day, Ben!")
        assertThat(vertx.status().activeLocks()).isEmpty()
    }

    @Test
    fun theRealDictionaryAndTheTreeForPeopleWorkTogether(vertx: Vertx) = test {
        vertx.deployVerticle(StatusVerticle(StatusOptions().setAlias("greeter").setHttp(false))).coAwait()
        vertx.deployVerticle(DictionaryVerticle(pace = 0.seconds)).coAwait()
        vertx.deployVerticle(GreeterVerticle()).coAwait()

        assertThat(vertx.greeting("Béa", "fr").coAwait()).isEqualTo("Bonjour, Béa!")

        val tree = vertx.eventBus().request<String>("fastn.status", JsonObject().put("format", "text"))
            .coAwait().body()
        assertThat(tree).contains("GreeterVerticle", "DictionaryVerticle").containsPattern("Total: .*\\d guest")
    }

    private fun test(block: suspend () -> Unit) = runBlocking { withTimeout(60.seconds) { block() } }

    /** Deploys all but the dictionary, and gives what it is asked: the test answers in its place. */
    private suspend fun Vertx.deployGreeter(): Channel<Message<String>> {
        val questions = Channel<Message<String>>(Channel.UNLIMITED)
        eventBus().consumer<String>("dictionary") { questions.trySend(it) }
        deployVerticle(StatusVerticle(StatusOptions().setAlias("greeter").setHttp(false))).coAwait()
        deployVerticle(GreeterVerticle()).coAwait()
        return questions
    }

    private fun Vertx.greeting(guest: String, language: String): Future<String> =
        eventBus().request<String>("greet", JsonObject().put("guest", guest).put("language", language))
            .map { it.body() }

    /**
     * Waits for something that lasts, and gives the status that is asked for after that: in the first one that shows
     * it, contexts and locks may be of two moments, between which it came.
     */
    private suspend fun Vertx.statusWhere(condition: (JsonObject) -> Boolean): JsonObject {
        do {
            val status = status()
        } while (!condition(status))
        return status()
    }

    private suspend fun Vertx.status(): JsonObject =
        eventBus().request<JsonObject>("fastn.status", JsonObject()).coAwait().body()
            .getJsonArray("nodes").getJsonObject(0).getJsonObject("status")

    private fun JsonObject.activeLocks() = getJsonArray("active_locks").map { it as JsonObject }

    private fun JsonObject.lockWaiters() = getJsonArray("lock_waiters").map { it as JsonObject }

    private fun JsonObject.operationNames() =
        getJsonArray("operations").map { (it as JsonObject).getString("name") }

    private fun JsonObject.total(counter: String): Long =
        contexts().single { it.getString("name") == "GreeterVerticle" }
            .getJsonObject("total_counters").getLong(counter, 0)

    private fun JsonObject.context(id: Long) = contexts().single { it.getLong("id") == id }

    /** All contexts of a status, a parent before its children. */
    private fun JsonObject.contexts(): List<JsonObject> = buildList {
        val open = ArrayDeque(listOf(getJsonObject("global_context")))
        while (open.isNotEmpty()) {
            val context = open.removeFirst()
            add(context)
            context.getJsonArray("children").forEach { open.addLast(it as JsonObject) }
        }
    }
}
