package com.fastn.context.kotlin

import com.fastn.context.ContextCancelledException
import com.fastn.context.FastnContext
import com.fastn.context.status.CancelReason
import com.fastn.context.status.ContextKind
import com.fastn.context.status.ContextState
import com.fastn.context.test.FastnContextExtension
import java.util.concurrent.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.extension.ExtendWith

@ExtendWith(FastnContextExtension::class)
class ChildrenTest {
    @Test
    fun theChildIsOpenInsideOfItsBlockAndClosedAfterIt(root: FastnContext) = runBlocking<Unit> {
        val child = root.child("work") { work ->
            assertThat(root.children()).containsExactly(work)
            assertThat(work.state()).isEqualTo(ContextState.ACTIVE)
            work
        }
        assertThat(child.state()).isEqualTo(ContextState.CLOSED)
        assertThat(child.isCancelled).isFalse()
        assertThat(root.children()).isEmpty()
    }

    @Test
    fun theChildStaysOpenUntilTheCoroutinesOfItsScopeAreDone(root: FastnContext) = runBlocking<Unit> {
        val go = CompletableDeferred<Unit>()
        val child = CompletableDeferred<FastnContext>()
        val outer = launch {
            root.child("work") { work ->
                launch {
                    child.complete(work)
                    go.await()
                }
            }
        }
        assertThat(child.await().state()).isEqualTo(ContextState.ACTIVE)
        go.complete(Unit)
        outer.join()
        assertThat(child.await().state()).isEqualTo(ContextState.CLOSED)
    }

    @Test
    fun aFailureIsThrownOnAndItsClassIsLeftOnTheChildButNotItsMessage(root: FastnContext) {
        var child: FastnContext? = null
        val thrown = assertThrows(IllegalStateException::class.java) {
            runBlocking {
                root.child("work") { work ->
                    child = work
                    error("password=hunter2")
                }
            }
        }
        assertThat(thrown).hasMessage("password=hunter2")
        assertThat(child!!["failure"]!!.textValue()).isEqualTo("java.lang.IllegalStateException")
        assertThat(child!!.state()).isEqualTo(ContextState.CLOSED)
        assertThat(child!!.isCancelled).isFalse()
    }

    @Test
    fun cancellingTheChildCancelsItsBlockAndSaysWhy(root: FastnContext) = runBlocking<Unit> {
        val started = CompletableDeferred<FastnContext>()
        val outcome = CompletableDeferred<Throwable>()
        launch {
            try {
                root.child("work") { work ->
                    started.complete(work)
                    awaitCancellation()
                }
            } catch (e: ContextCancelledException) {
                outcome.complete(e)
            }
        }
        started.await().cancel("enough")
        val failure = outcome.await() as ContextCancelledException
        assertThat(failure.reason().message()).isEqualTo("enough")
        assertThat(failure).hasMessageContaining("global.work")
        assertThat(started.await().state()).isEqualTo(ContextState.CLOSED)
    }

    @Test
    fun cancellingTheChildCancelsWhatItsBlockLaunchedAlsoAfterTheBlockHasReturned(root: FastnContext) = runBlocking<Unit> {
        val started = CompletableDeferred<FastnContext>()
        val outcome = async {
            runCatching {
                root.child("work") { work ->
                    launch { awaitCancellation() }
                    started.complete(work)
                }
            }
        }
        // This thread is the only one here, so the block has returned when it comes back.
        started.await().cancel("enough")
        val failure = withTimeout(60_000) { outcome.await() }.exceptionOrNull()
        assertThat(failure).isInstanceOf(ContextCancelledException::class.java)
        assertThat((failure as ContextCancelledException).reason().message()).isEqualTo("enough")
        assertThat(started.await().state()).isEqualTo(ContextState.CLOSED)
    }

    @Test
    fun C1_aBlockInAChildOfACancelledParentIsCancelledFromTheStart(root: FastnContext) = runBlocking<Unit> {
        root.child("parent").open().use { parent ->
            parent.cancel("too late")
            val thrown = runCatching { parent.child("work") { awaitCancellation() } }.exceptionOrNull()
            assertThat(thrown).isInstanceOf(ContextCancelledException::class.java)
        }
    }

    @Test
    fun cancellingTheCoroutineCancelsTheChildAndEverythingBelowIt(root: FastnContext) = runBlocking<Unit> {
        val started = CompletableDeferred<Pair<FastnContext, FastnContext>>()
        val job = launch {
            root.child("work") { work ->
                val below = work.child("below").open()
                started.complete(work to below)
                awaitCancellation()
            }
        }
        val (child, below) = started.await()
        job.cancelAndJoin()
        assertThat(child.cancelReason()!!.kind()).isEqualTo(CancelReason.Kind.REQUESTED)
        assertThat(child.cancelReason()!!.message()).startsWith("its coroutine was cancelled")
        assertThat(child.state()).isEqualTo(ContextState.CLOSING)
        assertThat(below.cancelReason()!!.kind()).isEqualTo(CancelReason.Kind.PARENT)
        below.close()
        assertThat(child.state()).isEqualTo(ContextState.CLOSED)
    }

    @Test
    fun aCancellationThatTheBlockThrowsByItselfIsTheChildsToo(root: FastnContext) {
        var child: FastnContext? = null
        assertThrows(CancellationException::class.java) {
            runBlocking {
                root.child("work") { work ->
                    child = work
                    throw CancellationException("gave up")
                }
            }
        }
        assertThat(child!!.isCancelled).isTrue()
    }

    @Test
    fun aBuilderDescribesTheChildOfItsBlock(root: FastnContext) = runBlocking<Unit> {
        root.child("pay")
            .withKind(ContextKind.REQUEST)
            .withData("order", 17)
            .within { pay ->
                assertThat(pay.kind()).isEqualTo(ContextKind.REQUEST)
                assertThat(pay["order"]!!.intValue()).isEqualTo(17)
            }
    }

    @Test
    fun launchChildAndAsyncChildRunInChildrenOfTheCurrentContext(root: FastnContext) = runBlocking<Unit> {
        root.child("outer") { outer ->
            val parents = CompletableDeferred<FastnContext?>()
            launchChild("first") { first -> parents.complete(first.parent()) }
            assertThat(parents.await()).isSameAs(outer)
            assertThat(asyncChild("second") { it.path().toString() }.await()).isEqualTo("global.outer.second")
        }
    }

    @Test
    fun aDatumIsSetAndReadWithBrackets(root: FastnContext) {
        root["shell"] = "bash"
        assertThat(root["shell"]!!.textValue()).isEqualTo("bash")
        assertThat(root["nothing"]).isNull()
    }
}
