package com.fastn.context.kotlin

import com.fastn.context.ContextRuntime
import com.fastn.context.FastnContext
import com.fastn.context.status.StatusSnapshot
import com.fastn.context.test.FastnContextExtension
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.extension.ExtendWith

@ExtendWith(FastnContextExtension::class)
class StatusFlowTest {
    @Test
    fun theFirstSnapshotComesAtOnceAndTheNextWhenSomethingChanged(runtime: ContextRuntime) = runBlocking<Unit> {
        val seen = Channel<StatusSnapshot>(Channel.UNLIMITED)
        val collector = launch { runtime.statusFlow().collect { seen.send(it) } }
        assertThat(seen.receive().globalContext().children()).isEmpty()
        runtime.root().child("work").open().use {
            assertThat(seen.receive().globalContext().children().map { it.name() }).containsExactly("work")
        }
        collector.cancel()
    }

    @Test
    fun theFlowOfTheCurrentContextIsThatOfItsRuntime(root: FastnContext) = runBlocking<Unit> {
        root.child("work") {
            assertThat(statusFlow().first().globalContext().children().map { it.name() }).containsExactly("work")
        }
    }

    @Test
    fun theFlowEndsWithTheCollectorsDemand(runtime: ContextRuntime) = runBlocking<Unit> {
        assertThat(runtime.statusFlow().take(1).toList()).hasSize(1)
    }
}
