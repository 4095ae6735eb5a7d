package com.fastn.context.kotlin

import com.fastn.context.FastnContext
import io.vertx.core.Vertx
import io.vertx.kotlin.coroutines.CoroutineVerticle
import io.vertx.kotlin.coroutines.coAwait
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Test

class OnVertxTest {
    @Test
    fun coroutinesOfAVerticleThatTakeTurnsOnItsEventLoopFindTheirOwnContextAfterEachSuspension() = runBlocking<Unit> {
        val vertx = Vertx.vertx()
        try {
            // What it asserts fails its deployment.
            vertx.deployVerticle(Branching()).coAwait()
        } finally {
            vertx.close().coAwait()
        }
    }
}

private class Branching : CoroutineVerticle() {
    override suspend fun start() {
        val verticle = currentFastnContext()
        assertThat(verticle.name()).isEqualTo("Branching")
        val counter = verticle.mutex("counter", IntArray(1))
        coroutineScope {
            repeat(3) { branch ->
                launchChild("branch $branch") { own ->
                    assertThat(own.parent()).isSameAs(verticle)
                    repeat(5) {
                        delay(1)
                        assertThat(FastnContext.current()).isSameAs(own)
                        vertx.timer(1, TimeUnit.MILLISECONDS).coAwait()
                        assertThat(FastnContext.current()).isSameAs(own)
                        counter.holding { count ->
                            assertThat(counter.holder()).isSameAs(own)
                            delay(1)
                            count[0]++
                        }
                        assertThat(FastnContext.current()).isSameAs(own)
                    }
                }
            }
        }
        assertThat(counter.holding { it[0] }).isEqualTo(15)
        assertThat(FastnContext.current()).isSameAs(verticle)
    }
}
