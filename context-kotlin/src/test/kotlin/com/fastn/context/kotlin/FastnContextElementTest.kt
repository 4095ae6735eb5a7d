package com.fastn.context.kotlin

import com.fastn.context.FastnContext
import com.fastn.context.test.FastnContextExtension
import java.util.concurrent.Executors
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.extension.ExtendWith

@ExtendWith(FastnContextExtension::class)
class FastnContextElementTest {
    @Test
    fun theContextFollowsTheCoroutineOverDispatchersAndIsGoneFromTheThreadAfterwards(root: FastnContext) {
        Executors.newSingleThreadExecutor().asCoroutineDispatcher().use { other ->
            runBlocking {
                val onOtherBefore = withContext(other) { FastnContext.current() }
                root.child("work") { work ->
                    assertThat(FastnContext.current()).isSameAs(work)
                    withContext(Dispatchers.Default) {
                        yield()
                        assertThat(FastnContext.current()).isSameAs(work)
                    }
                    withContext(other) { assertThat(FastnContext.current()).isSameAs(work) }
                    assertThat(FastnContext.current()).isSameAs(work)
                }
                assertThat(FastnContext.current()).isSameAs(root)
                assertThat(withContext(other) { FastnContext.current() }).isSameAs(onOtherBefore)
            }
        }
    }

    @Test
    fun coroutinesThatTakeTurnsOnOneThreadDoNotSeeEachOthersContext(root: FastnContext) = runBlocking {
        val branches = listOf("a", "b", "c").map { name ->
            async {
                root.child(name) { own ->
                    repeat(20) {
                        assertThat(FastnContext.current()).isSameAs(own)
                        assertThat(currentFastnContext()).isSameAs(own)
                        yield()
                    }
                    own.name()
                }
            }
        }
        assertThat(branches.map { it.await() }).containsExactly("a", "b", "c")
        assertThat(FastnContext.current()).isSameAs(root)
        Unit
    }

    @Test
    fun launchedCoroutinesInheritTheContextAndAnInnerChildIsTheCurrentOneOnlyInsideOfItsBlock(root: FastnContext) =
        runBlocking<Unit> {
            root.child("outer") { outer ->
                launch(Dispatchers.Default) { assertThat(currentFastnContext()).isSameAs(outer) }
                outer.child("inner") { inner ->
                    yield()
                    assertThat(currentFastnContext()).isSameAs(inner)
                    assertThat(FastnContext.current()).isSameAs(inner)
                }
                assertThat(FastnContext.current()).isSameAs(outer)
            }
        }

    @Test
    fun withoutAnElementTheCurrentContextIsThatOfTheThread(root: FastnContext) = runBlocking<Unit> {
        assertThat(currentFastnContext()).isSameAs(root)
    }

    @Test
    fun theElementSaysWhichContextItCarries(root: FastnContext) {
        assertThat(root.asElement().toString()).isEqualTo("FastnContextElement(global#${root.id()})")
    }
}
