package com.fastn.context.kotlin

import com.fastn.context.ContextCancelledException
import com.fastn.context.ContextMutex
import com.fastn.context.FastnContext
import com.fastn.context.LockTimeoutException
import com.fastn.context.SelfDeadlockException
import com.fastn.context.test.FastnContextExtension
import java.time.Duration
import java.util.ArrayDeque
import kotlin.coroutines.CoroutineContext
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.DelicateCoroutinesApi
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.GlobalScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.extension.ExtendWith

@ExtendWith(FastnContextExtension::class)
class WaitsTest {
    @Test
    fun aNamedWaitIsInTheStatusWhileItLastsAndGoneWhenItFails(root: FastnContext) {
        assertThrows(IllegalStateException::class.java) {
            runBlocking {
                root.awaiting("db-query") {
                    yield()
                    assertThat(root.subtreeStatus().globalContext().operations().map { it.name() })
                        .containsExactly("db-query")
                    error("no connection")
                }
            }
        }
        assertThat(root.subtreeStatus().globalContext().operations()).isEmpty()
    }

    @Test
    fun awaitCancelledSuspendsUntilTheContextIsCancelledAndGivesTheReason(root: FastnContext) = runBlocking<Unit> {
        root.child("work").open().use { work ->
            val reason = async(start = CoroutineStart.UNDISPATCHED) { work.awaitCancelled() }
            assertThat(reason.isActive).isTrue()
            work.cancel("enough")
            assertThat(reason.await().message()).isEqualTo("enough")
            assertThat(work.awaitCancelled().message()).isEqualTo("enough")
        }
    }

    @Test
    fun readersShareALockThatAWriterHasAlone(root: FastnContext) = runBlocking<Unit> {
        val prices = root.readWriteLock("prices", "old")
        val bothRead = CompletableDeferred<Unit>()
        val first = async(start = CoroutineStart.UNDISPATCHED) { prices.reading { bothRead.await(); it } }
        assertThat(prices.reading { it }).isEqualTo("old")
        val writer = async(start = CoroutineStart.UNDISPATCHED) { prices.writing { it.update { old -> old + "er" } } }
        assertThat(writer.isCompleted).isFalse()
        assertThat(prices.waiters()).isEqualTo(1)
        bothRead.complete(Unit)

        assertThat(first.await()).isEqualTo("old")
        assertThat(writer.await()).isEqualTo("older")
        assertThat(prices.reading { it }).isEqualTo("older")
        assertThat(prices.holders()).isEmpty()
    }

    @Test
    fun permitsComeBackWhateverTheBlockDoesAndACancelledCoroutineLeavesTheQueue(root: FastnContext) = runBlocking<Unit> {
        val pool = root.semaphore("pool", 2)
        assertThrows(IllegalStateException::class.java) { runBlocking { pool.holding(2) { error("failed") } } }
        assertThat(pool.availablePermits()).isEqualTo(2)
        pool.holding {
            val gone = launch(start = CoroutineStart.UNDISPATCHED) { pool.holding(2) { error("granted") } }
            val next = async(start = CoroutineStart.UNDISPATCHED) { pool.holding { "served" } }
            assertThat(pool.waiters()).isEqualTo(2)
            gone.cancelAndJoin()
            assertThat(next.await()).isEqualTo("served")
        }
        assertThat(pool.availablePermits()).isEqualTo(2)
    }

    @Test
    fun whatSeveralThreadsDoWhileHoldingAMutexDoesNotOverlap(root: FastnContext) = runBlocking<Unit> {
        val mutex = root.mutex("sum", IntArray(1))
        withContext(Dispatchers.Default) {
            List(8) {
                async {
                    repeat(200) {
                        mutex.holding { sum ->
                            val before = sum[0]
                            yield()
                            sum[0] = before + 1
                        }
                    }
                }
            }.awaitAll()
        }
        assertThat(mutex.holding { it[0] }).isEqualTo(1600)
    }

    @Test
    fun theHolderIsTheContextOfTheCoroutineAndTheLockIsFreeAfterAFailure(root: FastnContext) {
        val mutex = root.mutex("orders", 1)
        assertThrows(IllegalStateException::class.java) {
            runBlocking {
                root.child("settle") { settle ->
                    mutex.holding {
                        assertThat(mutex.holder()).isSameAs(settle)
                        error("bank is closed")
                    }
                }
            }
        }
        assertThat(mutex.holder()).isNull()
    }

    @Test
    fun L1_aCancelledCoroutineLeavesTheQueueAndTheNextIsServed(root: FastnContext) = runBlocking<Unit> {
        val mutex = root.mutex("orders", 1)
        val release = CompletableDeferred<Unit>()
        val holder = launch(start = CoroutineStart.UNDISPATCHED) { mutex.holding { release.await() } }
        val gone = launch(start = CoroutineStart.UNDISPATCHED) { mutex.holding { awaitCancellation() } }
        val next = async(start = CoroutineStart.UNDISPATCHED) { mutex.holding { "served" } }
        assertThat(mutex.waiters()).isEqualTo(2)
        gone.cancelAndJoin()
        assertThat(mutex.waiters()).isEqualTo(1)
        release.complete(Unit)
        holder.join()
        assertThat(next.await()).isEqualTo("served")
        assertThat(mutex.holder()).isNull()
    }

    @Test
    fun L2_aCoroutineCancelledAfterTheGrantButBeforeItGoesOnGivesTheLockBack(root: FastnContext) {
        val mutex = root.mutex("orders", 1)
        val first = mutex.tryLock()!!
        val turns = ByHand()
        var entered = false
        val waiter = CoroutineScope(turns).launch { mutex.holding { entered = true } }
        turns.runAll()
        assertThat(mutex.waiters()).isEqualTo(1)
        first.close()
        assertThat(mutex.holder()).isNotNull()
        waiter.job.cancel()
        turns.runAll()
        assertThat(waiter.isCompleted).isTrue()
        assertThat(entered).isFalse()
        assertThat(mutex.holder()).isNull()
    }

    @Test
    fun L3_inACancelledContextAFreeLockIsRefused(root: FastnContext) {
        val mutex = root.mutex("orders", 1)
        root.child("late").open().use { late ->
            late.cancel()
            assertThrows(ContextCancelledException::class.java) {
                runBlocking(late.asElement()) { mutex.holding { error("granted") } }
            }
        }
    }

    @Test
    fun L7_aLockThatIsAskedForInsideOfItsOwnBlockFailsAtOnce(root: FastnContext) = runBlocking<Unit> {
        val mutex = root.mutex("orders", 1)
        val failure = assertThrows(SelfDeadlockException::class.java) {
            runBlocking {
                mutex.holding {
                    yield()
                    withContext(Dispatchers.Default) { withTimeout(60_000) { helper(mutex) } }
                }
            }
        }
        assertThat(failure).hasMessageMatching(
            """mutex "orders" is held by .* in a scope that was begun at """ +
                Regex.escape(WaitsTest::class.java.name) + """.*, and was asked for again inside of it at """ +
                Regex.escape(WaitsTest::class.java.name) + """.helper\(WaitsTest.kt:\d+\); .*""",
        )
        val prices = root.readWriteLock("prices", 1)
        assertThrows(SelfDeadlockException::class.java) {
            runBlocking { prices.reading { prices.writing { error("granted") } } }
        }
        assertThat(prices.reading { prices.reading { it } }).isEqualTo(1)
        val pool = root.semaphore("pool", 3)
        assertThrows(SelfDeadlockException::class.java) {
            runBlocking { pool.holding(2) { mutex.holding { pool.holding(2) { error("granted") } } } }
        }
        assertThat(pool.holding(2) { pool.holding { "three" } }).isEqualTo("three")
        assertThat(mutex.holder()).isNull()
        assertThat(prices.holders()).isEmpty()
        assertThat(pool.availablePermits()).isEqualTo(3)
    }

    private suspend fun helper(mutex: ContextMutex<Int>): Int = mutex.holding { it }

    @Test
    fun L7_alsoWhereTheOuterLockWasWaitedFor(root: FastnContext) = runBlocking<Unit> {
        val mutex = root.mutex("orders", 1)
        val first = mutex.tryLock()!!
        val apart = CoroutineScope(Dispatchers.Default)
        val waiter = apart.async(start = CoroutineStart.UNDISPATCHED) { mutex.holding { helper(mutex) } }
        assertThat(mutex.waiters()).isEqualTo(1)
        first.close()
        assertThrows(SelfDeadlockException::class.java) { runBlocking { waiter.await() } }
        assertThat(mutex.holder()).isNull()
    }

    @Test
    @OptIn(DelicateCoroutinesApi::class)
    fun L7_aBranchThatTheBlockLaunchesQueues(root: FastnContext) = runBlocking<Unit> {
        val mutex = root.mutex("orders", 1)
        mutex.holding {
            coroutineScope {
                val branch = launch(start = CoroutineStart.UNDISPATCHED) { mutex.holding { error("granted") } }
                assertThat(mutex.waiters()).isEqualTo(1)
                branch.cancelAndJoin()
            }
            val elsewhere = GlobalScope.launch(currentCoroutineContext().minusKey(Job), CoroutineStart.UNDISPATCHED) {
                mutex.holding { error("granted") }
            }
            assertThat(mutex.waiters()).isEqualTo(1)
            elsewhere.cancelAndJoin()
        }
        assertThat(mutex.waiters()).isZero()
        assertThat(mutex.holder()).isNull()
    }

    @Test
    fun L14_aDeadlockOfBlocksIsProven(root: FastnContext) = runBlocking<Unit> {
        val orders = root.mutex("orders", 1)
        val stock = root.mutex("stock", 1)
        val bothHold = CompletableDeferred<Unit>()
        val one = root.child("checkout").open()
        val other = root.child("refill").open()
        val up = async(one.asElement(), CoroutineStart.UNDISPATCHED) {
            orders.holding { bothHold.await().also { stock.holding { } } }
        }
        val down = async(other.asElement(), CoroutineStart.UNDISPATCHED) {
            stock.holding {
                bothHold.complete(Unit)
                withContext(Dispatchers.Default) { orders.holding { } }
            }
        }
        while (orders.waiters() == 0 || stock.waiters() == 0) {
            yield()
        }
        val report = root.runtime().status().deadlocks().single()
        assertThat(report.proven()).isTrue()
        assertThat(report.parties().map { it.context().shortName() }).containsExactly("checkout", "refill")
        down.cancelAndJoin()
        up.await()
        assertThat(root.runtime().status().deadlocks()).isEmpty()
        one.close()
        other.close()
    }

    @Test
    fun L14_itIsProvenWhereAChildAsksInsideOfTheBlockOfItsParent(root: FastnContext) = runBlocking<Unit> {
        val orders = root.mutex("orders", 1)
        val stock = root.mutex("stock", 1)
        val bothHold = CompletableDeferred<Unit>()
        val one = root.child("checkout").open()
        val other = root.child("refill").open()
        val up = async(one.asElement(), CoroutineStart.UNDISPATCHED) {
            orders.holding { bothHold.await().also { one.child("inner") { stock.holding { } } } }
        }
        val down = async(other.asElement(), CoroutineStart.UNDISPATCHED) {
            stock.holding {
                bothHold.complete(Unit)
                other.child("inner") { orders.holding { } }
            }
        }
        while (orders.waiters() == 0 || stock.waiters() == 0) {
            yield()
        }
        assertThat(root.runtime().status().deadlocks().single().proven()).isTrue()
        down.cancelAndJoin()
        up.await()
        one.close()
        other.close()
    }

    @Test
    fun L4_aBlockWhoseLockIsNotGrantedInTimeIsNeverRun(root: FastnContext) = runBlocking<Unit> {
        val orders = root.mutex("orders", 1)
        val prices = root.readWriteLock("prices", 2)
        val pool = root.semaphore("pool", 3)
        val held = listOf(orders.tryLock()!!, prices.tryWriteLock()!!, pool.tryAcquire(3)!!)
        val soon = Duration.ofMillis(1)
        listOf<suspend () -> Unit>(
            { orders.holding(soon) { error("granted") } },
            { prices.reading(soon) { error("granted") } },
            { prices.writing(soon) { error("granted") } },
            { pool.holding(soon) { error("granted") } },
            { pool.holding(2, soon) { error("granted") } },
        ).forEach { late ->
            assertThrows(LockTimeoutException::class.java) { runBlocking { late() } }
        }
        held.forEach { it.close() }
        val enough = Duration.ofSeconds(30)
        assertThat(orders.holding(enough) { it }).isEqualTo(1)
        assertThat(prices.reading(enough) { it }).isEqualTo(2)
        assertThat(prices.writing(enough) { it.update { old -> old + 1 } }).isEqualTo(3)
        assertThat(pool.holding(enough) { "one" } + pool.holding(2, enough) { "two" }).isEqualTo("onetwo")
        assertThat(pool.availablePermits()).isEqualTo(3)
    }

    @Test
    fun L10_theEndOfItsContextTakesNothingFromABlockThatRuns(root: FastnContext) = runBlocking<Unit> {
        val mutex = root.mutex("orders", 1)
        mutex.setAutoReleaseOnEnd(true)
        val settle = root.child("settle").open()
        val release = CompletableDeferred<Unit>()
        val holder = launch(settle.asElement(), CoroutineStart.UNDISPATCHED) { mutex.holding { release.await() } }
        settle.close()
        assertThat(mutex.holder()).isSameAs(settle)
        assertThat(root.runtime().status().warnings().map { it.id() }).doesNotContain("lock-leaked")
        release.complete(Unit)
        holder.join()
        assertThat(mutex.holder()).isNull()
    }

    @Test
    fun theLockIsFreeWhenTheBlockIsOverOnWhateverThreadItRan(root: FastnContext) = runBlocking<Unit> {
        val mutex = root.mutex("orders", 1)
        // Without a dispatcher whoever releases runs the next block, inside of its own release.
        val held = CompletableDeferred<Unit>()
        val release = CompletableDeferred<Unit>()
        launch(Dispatchers.Unconfined) {
            mutex.holding {
                held.complete(Unit)
                release.await()
            }
        }
        val second = async(Dispatchers.Unconfined) {
            mutex.holding { }
            mutex.tryLock()?.use { "free" }
        }
        held.await()
        release.complete(Unit)
        assertThat(second.await()).isEqualTo("free")
        withContext(Dispatchers.Default) {
            List(4) { async { repeat(2_000) { mutex.holding { } } } }.awaitAll()
        }
        assertThat(mutex.holder()).isNull()
    }

    /** Runs what is dispatched when it is told to. */
    private class ByHand : CoroutineDispatcher() {
        private val tasks = ArrayDeque<Runnable>()

        override fun dispatch(context: CoroutineContext, block: Runnable) {
            tasks.add(block)
        }

        fun runAll() {
            while (true) {
                (tasks.poll() ?: return).run()
            }
        }
    }
}
