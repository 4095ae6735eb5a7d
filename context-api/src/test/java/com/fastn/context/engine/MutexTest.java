package com.fastn.context.engine;

import static com.fastn.context.engine.Failures.assertFailure;
import static com.fastn.context.engine.Patience.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import com.fastn.context.ContextCancelledException;
import com.fastn.context.ContextEngine;
import com.fastn.context.ContextMutex;
import com.fastn.context.ContextScope;
import com.fastn.context.FastnContext;
import com.fastn.context.LockGuard;
import com.fastn.context.LockTimeoutException;
import com.fastn.context.Registration;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

class MutexTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    private ContextMutex<Integer> orders() {
        return tree.root.mutex("orders", 1);
    }

    /** Asks for the lock as this context. */
    static <T> CompletableFuture<LockGuard<T>> ask(FastnContext asker, ContextMutex<T> mutex) {
        try (ContextScope ignored = asker.makeCurrent()) {
            return mutex.lock().toCompletableFuture();
        }
    }

    @Test
    void aFreeLockIsGivenAtOnceToTheCurrentContext() {
        ContextNode task = tree.open("task");
        ContextMutex<Integer> orders = orders();
        tree.passSeconds(5);
        CompletableFuture<LockGuard<Integer>> asked = ask(task, orders);

        assertThat(asked).isCompleted();
        LockGuard<Integer> guard = asked.join();
        assertThat(guard.context()).isSameAs(task);
        assertThat(guard.lockName()).isEqualTo("orders");
        assertThat(guard.acquiredAt()).isEqualTo(TestTree.START.plusSeconds(5));
        assertThat(orders.holder()).isSameAs(task);
        assertThat(orders.waiters()).isZero();
        assertThat(orders.context()).isSameAs(tree.root);
        guard.close();
        assertThat(orders.holder()).isNull();
    }

    @Test
    void whereNoContextIsCurrentTheOwnerAsks() {
        ContextMutex<Integer> orders = orders();
        try (LockGuard<Integer> guard = orders.lock().toCompletableFuture().join()) {
            assertThat(guard.context()).isSameAs(tree.root);
        }
    }

    @Test
    void theGuardIsTheWayToTheValue() {
        ContextMutex<Integer> orders = orders();
        LockGuard<Integer> guard = orders.lock().toCompletableFuture().join();
        assertThat(guard.value()).isEqualTo(1);
        guard.set(2);
        assertThat(guard.update(v -> v * 10)).isEqualTo(20);
        assertThat(guard.value()).isEqualTo(20);
        guard.close();

        assertThatIllegalStateException().isThrownBy(guard::value).withMessageContaining("is closed; lock again");
        assertThatIllegalStateException().isThrownBy(() -> guard.set(3));
        assertThatIllegalStateException().isThrownBy(() -> guard.update(v -> v));
        try (LockGuard<Integer> next = orders.lock().toCompletableFuture().join()) {
            assertThat(next.value()).isEqualTo(20);
            assertThat(next.fence()).isGreaterThan(guard.fence());
        }
    }

    @Test
    void L5_waitersAreServedInTheOrderInWhichTheyAsked() {
        ContextMutex<Integer> orders = orders();
        List<Integer> served = new ArrayList<>();
        LockGuard<Integer> first = orders.lock().toCompletableFuture().join();
        for (int i = 0; i < 1_000; i++) {
            int number = i;
            var unused = ask(tree.open("waiter"), orders).thenAccept(guard -> {
                served.add(number);
                guard.close();
            });
        }
        assertThat(orders.waiters()).isEqualTo(1_000);
        first.close();

        assertThat(served).hasSize(1_000).isSorted();
        assertThat(orders.holder()).isNull();
    }

    @Test
    void L5_tryLockNeverPassesWaiters() {
        TestTree bound = new TestTree(new FakeLoop.Binding());
        FakeLoop loop = new FakeLoop();
        ContextMutex<Integer> orders = bound.root.mutex("orders", 1);
        LockGuard<Integer> first = orders.lock().toCompletableFuture().join();
        List<LockGuard<Integer>> second = new ArrayList<>();
        loop.run(() -> {
            var unused = orders.lock().thenAccept(second::add);
        });
        try (LockGuard<Integer> tried = orders.tryLock()) {
            assertThat(tried).isNull();
        }
        first.close();
        // The lock is the waiter's, although it has not heard of it yet.
        try (LockGuard<Integer> tried = orders.tryLock()) {
            assertThat(tried).isNull();
        }
        loop.turn();
        second.get(0).close();
        try (LockGuard<Integer> tried = orders.tryLock()) {
            assertThat(tried).isNotNull();
        }
    }

    @Test
    void L1_aCancelledWaiterLeavesTheQueueBeforeItHearsOfIt() {
        ContextMutex<Integer> orders = orders();
        LockGuard<Integer> first = orders.lock().toCompletableFuture().join();
        ContextNode waiter = tree.open("waiter");
        AtomicInteger waitersAtFailure = new AtomicInteger(-1);
        CompletableFuture<LockGuard<Integer>> asked = ask(waiter, orders);
        var unused = asked.whenComplete((guard, failure) -> waitersAtFailure.set(orders.waiters()));
        waiter.cancel("stop");

        assertThat(waitersAtFailure).hasValue(0);
        assertFailure(asked)
                .isInstanceOf(ContextCancelledException.class)
                .hasMessage("mutex \"orders\" was not given to app.waiter, which was cancelled: stop (app.waiter)");
        assertThat(waiter.cancelHandlers()).isZero();
        first.close();
        assertThat(orders.holder()).isNull();
    }

    @Test
    void L1_ofReleaseAndCancelInOneTurnExactlyOneServesTheNext() {
        for (boolean cancelFirst : new boolean[] {true, false}) {
            ContextMutex<Integer> orders = orders();
            LockGuard<Integer> holder = orders.lock().toCompletableFuture().join();
            ContextNode one = tree.open("one");
            CompletableFuture<LockGuard<Integer>> first = ask(one, orders);
            CompletableFuture<LockGuard<Integer>> second = ask(tree.open("two"), orders);
            if (cancelFirst) {
                one.cancel();
                holder.close();
                assertThat(first).isCompletedExceptionally();
                assertThat(second).isCompleted();
                second.join().close();
            } else {
                holder.close();
                one.cancel();
                assertThat(first).isCompleted();
                assertThat(second).isNotDone();
                first.join().close();
                second.join().close();
            }
            assertThat(orders.holder()).isNull();
            assertThat(orders.waiters()).isZero();
        }
    }

    @Test
    void L1_cancellingTheStageLeavesTheQueue() {
        ContextMutex<Integer> orders = orders();
        LockGuard<Integer> holder = orders.lock().toCompletableFuture().join();
        ContextNode waiter = tree.open("waiter");
        CompletableFuture<LockGuard<Integer>> asked = ask(waiter, orders);
        asked.cancel(false);

        assertThat(orders.waiters()).isZero();
        assertThat(waiter.cancelHandlers()).isZero();
        holder.close();
        assertThat(orders.holder()).isNull();
    }

    @Test
    void L1_aStageThatWasCompletedFromOutsideDoesNotKeepTheLock() {
        ContextMutex<Integer> orders = orders();
        LockGuard<Integer> holder = orders.lock().toCompletableFuture().join();
        CompletableFuture<LockGuard<Integer>> impatient = ask(tree.open("impatient"), orders);
        CompletableFuture<LockGuard<Integer>> next = ask(tree.open("next"), orders);
        impatient.completeExceptionally(new IllegalStateException("gave up"));
        holder.close();

        assertThat(next).isCompleted();
        next.join().close();
        assertThat(orders.holder()).isNull();
    }

    @Test
    void L2_aWaiterThatIsCancelledAfterItsGrantNeverSeesTheGuard() {
        TestTree bound = new TestTree(new FakeLoop.Binding());
        FakeLoop loop = new FakeLoop();
        ContextMutex<Integer> orders = bound.root.mutex("orders", 1);
        LockGuard<Integer> holder = orders.lock().toCompletableFuture().join();
        ContextNode cancelled = bound.open("cancelled");
        ContextNode next = bound.open("next");
        List<CompletableFuture<LockGuard<Integer>>> asked = new ArrayList<>();
        loop.run(() -> {
            asked.add(ask(cancelled, orders));
            asked.add(ask(next, orders));
        });
        holder.close();
        assertThat(orders.holder()).as("granted, but not told yet").isSameAs(cancelled);
        cancelled.cancel();
        loop.turn();

        assertThat(asked.get(0)).isCompletedExceptionally();
        assertThat(asked.get(1)).isCompleted();
        assertThat(orders.holder()).isSameAs(next);
        asked.get(1).join().close();
        assertThat(orders.holder()).isNull();
    }

    @Test
    void L3_aCancelledContextIsRefusedAlthoughTheLockIsFree() {
        ContextNode task = tree.open("task");
        task.cancel();

        assertFailure(ask(task, orders()))
                .isInstanceOf(ContextCancelledException.class)
                .hasMessageContaining("was cancelled before it asked (lock in a context that is open,");
        assertThat(orders().holder()).isNull();
        try (ContextScope ignored = task.makeCurrent();
                LockGuard<Integer> tried = orders().tryLock()) {
            assertThat(tried).isNull();
        }
    }

    @Test
    void L4_aWaitThatRunsOutOfTimeLeavesTheQueueAndSaysWhoHoldsTheLock() {
        ContextMutex<Integer> orders = orders();
        ContextNode task = tree.open("task");
        CompletableFuture<LockGuard<Integer>> holder = ask(task, orders);
        CompletableFuture<LockGuard<Integer>> asked =
                orders.lock(Duration.ofMillis(1)).toCompletableFuture();

        assertThat(asked).failsWithin(60, TimeUnit.SECONDS);
        assertFailure(asked)
                .isInstanceOf(LockTimeoutException.class)
                .hasMessageContaining("mutex \"orders\" was not given to app within PT0.001S; it is held by app.task");
        assertThat(orders.waiters()).isZero();
        assertThat(tree.root.cancelHandlers()).isZero();
        assertThat(tree.runtime.timers().pending()).isZero();
        holder.join().close();
    }

    @Test
    void L4_aTimeBelowNothingRunsOutToo() {
        ContextMutex<Integer> orders = orders();
        try (LockGuard<Integer> ignored = orders.lock().toCompletableFuture().join()) {
            assertThat(orders.lock(Duration.ofSeconds(Long.MIN_VALUE)).toCompletableFuture())
                    .failsWithin(60, TimeUnit.SECONDS);
        }
    }

    @Test
    void L4_aWaitWhoseTimeNobodyCanSeeToFailsAndLeavesTheQueue() {
        OutOfMemoryError noThread = new OutOfMemoryError("unable to create native thread");
        EngineRuntime runtime = new EngineRuntime(
                new ContextEngine.Settings("app", "App", "alice", tree.ticker),
                tree.runtime.current(),
                CounterStore.Caps.DEFAULT,
                new Timers(ForkJoinPool::commonPool) {
                    @Override
                    Registration after(Duration delay, Runnable task) {
                        throw noThread;
                    }
                });
        ContextMutex<Integer> orders = runtime.root().mutex("orders", 1);
        LockGuard<Integer> held = orders.lock().toCompletableFuture().join();
        CompletableFuture<LockGuard<Integer>> timed =
                orders.lock(Duration.ofSeconds(1)).toCompletableFuture();
        CompletableFuture<Integer> scoped = orders.withLock(Duration.ofSeconds(1), CompletableFuture::completedFuture)
                .toCompletableFuture();
        assertFailure(timed).isSameAs(noThread);
        assertFailure(scoped).isSameAs(noThread);
        assertThat(orders.waiters()).isZero();
        held.close();
        assertThat(orders.holder())
                .as("granted to one who has heard nothing of it")
                .isNull();
        runtime.close();
    }

    @Test
    void L10_theFenceGoesOnRisingWhenTheLockIsMadeAnewAndAfterARestart() {
        long last = 0;
        for (int i = 0; i < 3; i++) {
            ContextNode shop = tree.open("shop");
            for (int k = 0; k < 3; k++) {
                LockGuard<Integer> guard =
                        shop.mutex("orders", 1).lock().toCompletableFuture().join();
                assertThat(guard.fence()).isGreaterThan(last).isLessThan(1L << 53);
                last = guard.fence();
                guard.close();
            }
            shop.close();
            tree.pass(Duration.ofNanos(10_000));
        }
        EngineRuntime restarted = tree.another();
        try (LockGuard<Integer> guard =
                restarted.root().mutex("orders", 1).lock().toCompletableFuture().join()) {
            assertThat(guard.fence()).isGreaterThan(last);
        }
        restarted.close();
    }

    @Test
    @Timeout(60)
    void whoSynchronizesOnALockHoldsNobodyUp() throws InterruptedException {
        ContextMutex<Integer> orders = orders();
        LockGuard<Integer> held = orders.lock().toCompletableFuture().join();
        CompletableFuture<LockGuard<Integer>> next = orders.lock().toCompletableFuture();
        Thread releasing;
        synchronized (orders) {
            releasing = new Thread(held::close);
            releasing.start();
            releasing.join();
            assertThat(next).isCompleted();
        }
        next.join().close();
    }

    @Test
    void L4_noTimerIsLeftByAWaitThatEndedOtherwise() {
        ContextMutex<Integer> orders = orders();
        LockGuard<Integer> holder = orders.lock().toCompletableFuture().join();
        ContextNode cancelled = tree.open("cancelled");
        try (ContextScope ignored = cancelled.makeCurrent()) {
            for (int i = 0; i < 10_000; i++) {
                orders.lock(Duration.ofHours(1));
            }
        }
        CompletableFuture<LockGuard<Integer>> granted =
                orders.lock(Duration.ofHours(1)).toCompletableFuture();
        CompletableFuture<LockGuard<Integer>> dropped =
                orders.lock(Duration.ofSeconds(Long.MAX_VALUE)).toCompletableFuture();
        assertThat(tree.runtime.timers().pending()).isEqualTo(10_002);

        cancelled.cancel();
        dropped.cancel(false);
        holder.close();
        assertThat(granted).isCompleted();
        // There is a look after the cancellation too, which ends by itself.
        await().until(() -> tree.runtime.timers().pending() == 0);
        granted.join().close();
    }

    @Test
    void L7_anotherBranchOfTheSameContextQueues() {
        ContextMutex<Integer> orders = orders();
        ContextNode request = tree.open("request");
        CompletableFuture<LockGuard<Integer>> one = ask(request, orders);
        CompletableFuture<LockGuard<Integer>> other = ask(request, orders);
        assertThat(other).isNotDone();
        assertThat(orders.waiters()).isEqualTo(1);
        one.join().close();

        assertThat(other).isCompleted();
        other.join().close();
    }

    @Test
    void L8_aMillionReleasesThatEachServeTheNextNeedOneFrame() throws InterruptedException {
        SmallStack.run(() -> {
            ContextMutex<Integer> orders = orders();
            LockGuard<Integer> holder = orders.lock().toCompletableFuture().join();
            AtomicInteger served = new AtomicInteger();
            for (int i = 0; i < 1_000_000; i++) {
                var unused = orders.lock().thenAccept(guard -> {
                    served.incrementAndGet();
                    guard.close();
                });
            }
            holder.close();
            assertThat(served).hasValue(1_000_000);
            assertThat(orders.holder()).isNull();
            assertThat(tree.root.cancelHandlers()).isZero();
        });
    }

    @Test
    void L9_aWaiterGoesOnOnItsOwnLoopWhoeverReleases() {
        TestTree bound = new TestTree(new FakeLoop.Binding());
        FakeLoop mine = new FakeLoop();
        FakeLoop theirs = new FakeLoop();
        ContextMutex<Integer> orders = bound.root.mutex("orders", 1);
        LockGuard<Integer> holder = orders.lock().toCompletableFuture().join();
        List<FakeLoop> wentOnOn = new ArrayList<>();
        mine.run(() -> {
            var unused = orders.lock().thenAccept(guard -> {
                wentOnOn.add(FakeLoop.here());
                guard.close();
            });
        });
        theirs.run(holder::close);
        assertThat(wentOnOn).isEmpty();
        mine.turn();

        assertThat(wentOnOn).containsExactly(mine);
        assertThat(orders.holder()).isNull();
    }

    @Test
    void L9_offAnyLoopAWaiterGoesOnInItsOwnContextInTheThreadThatReleases() throws InterruptedException {
        ContextMutex<Integer> orders = orders();
        LockGuard<Integer> holder = orders.lock().toCompletableFuture().join();
        ContextNode waiter = tree.open("waiter");
        ContextNode releaser = tree.open("releaser");
        List<FastnContext> current = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        var unused = ask(waiter, orders).thenAccept(guard -> {
            current.add(FastnContext.current());
            threads.add(Thread.currentThread());
            guard.close();
        });
        Thread thread = new Thread(releaser.wrap(holder::close));
        thread.start();
        thread.join();

        assertThat(current).containsExactly(waiter);
        assertThat(threads).containsExactly(thread);
    }

    @Test
    void L9_theLockIsNotLostWithTheLoopOfAWaiter() {
        TestTree bound = new TestTree(new FakeLoop.Binding());
        FakeLoop gone = new FakeLoop();
        ContextMutex<Integer> orders = bound.root.mutex("orders", 1);
        LockGuard<Integer> holder = orders.lock().toCompletableFuture().join();
        gone.run(() -> {
            var unused = orders.lock().thenAccept(LockGuard::close);
        });
        gone.shutDown();
        holder.close();

        assertThat(orders.holder()).isNull();
    }

    @Test
    void L12_aSecondCloseOfAGuardReleasesNobodyElsesHold() {
        ContextMutex<Integer> orders = orders();
        LockGuard<Integer> first = orders.lock().toCompletableFuture().join();
        first.close();
        ContextNode other = tree.open("other");
        LockGuard<Integer> second = ask(other, orders).join();
        first.close();
        first.close();

        assertThat(orders.holder()).isSameAs(other);
        assertThat(tree.runtime.misuses())
                .singleElement()
                .asString()
                .startsWith(
                        "2x a guard of mutex \"orders\" was closed twice; the second time had no effect: close it in one"
                                + " place, such as a try-with-resources, or use withLock; the first was"
                                + " that of app, closed again at " + MutexTest.class.getName());
        second.close();
    }

    @Test
    void L13_oneNameInOneContextIsOneLock() {
        ContextMutex<Integer> orders = tree.root.mutex("orders", 1);
        ContextNode other = tree.open("other");

        assertThat(tree.root.mutex("orders", 1)).isSameAs(orders);
        assertThat(tree.root.mutex("orders")).isSameAs(orders);
        assertThat(tree.root.mutex("payments")).isNotSameAs(orders);
        assertThat(other.mutex("orders", 1)).isNotSameAs(orders);
        assertThat(tree.runtime.misuses()).isEmpty();
    }

    @Test
    void L13_anotherFirstValueIsNotTakenAndIsCounted() {
        tree.root.mutex("orders", 1);
        ContextMutex<Integer> again = tree.root.mutex("orders", 2);
        try (LockGuard<Integer> guard = again.lock().toCompletableFuture().join()) {
            assertThat(guard.value()).isEqualTo(1);
        }
        tree.root.mutex("plain");
        tree.root.mutex("plain", 7);

        assertThat(tree.runtime.misuses())
                .satisfiesExactly(
                        orders -> assertThat(orders)
                                .startsWith("1x mutex \"orders\" was asked for with another first value; the first one"
                                        + " stays: give the same each time, or take another name; the first was that of"
                                        + " app, which has 1, with 2 at " + MutexTest.class.getName()),
                        plain -> assertThat(plain)
                                .startsWith("1x mutex \"plain\" was asked for with another first value; the first one")
                                .contains("which has null, with 7 at"));
    }

    /** Each is kept: somebody may have it in his hands, and a second lock of its name would keep nobody out. */
    @Test
    void L13_aContextWithMoreNamesOfLocksThanAnybodyWritesIsToldOfOnce() {
        for (int i = 0; i < ContextNode.MANY_LOCKS; i++) {
            tree.root.mutex("order-" + i);
        }
        assertThat(tree.runtime.misuses()).isEmpty();
        for (int i = 0; i < 10 * ContextNode.MANY_LOCKS; i++) {
            tree.root.mutex("order-" + i);
        }
        assertThat(tree.runtime.misuses())
                .singleElement()
                .asString()
                .startsWith("1x more than 10,000 locks were made in one context, which keeps each until it ends: ")
                .contains("the first was app, with mutex \"order-10000\" at " + MutexTest.class.getName());
    }

    @Test
    void L13_idleLocksOfEndedContextsAreDropped() {
        for (int i = 0; i < 1_000; i++) {
            ContextNode task = tree.open("task");
            task.mutex("lock-" + i).lock().toCompletableFuture().join().close();
            task.close();
        }
        assertThat(tree.runtime.locksOfEndedContexts()).isEmpty();
    }

    @Test
    void aHeldLockStaysInSightWhenItsContextEnds() {
        ContextNode task = tree.open("task");
        LockGuard<?> guard = task.mutex("orders").lock().toCompletableFuture().join();
        task.close();
        assertThat(tree.runtime.status().activeLocks()).hasSize(1);
        guard.close();

        assertThat(tree.runtime.status().activeLocks()).isEmpty();
        assertThat(tree.runtime.locksOfEndedContexts()).isEmpty();
    }

    @Test
    void aLockThatIsTakenWhileItsContextClosesStaysInSightWhenItIsClosed() {
        ContextNode owner = tree.open("owner");
        ContextNode child = tree.open(owner, "child");
        ContextMutex<Integer> orders = owner.mutex("orders", 1);
        owner.close();
        ContextNode holder = tree.open("holder");
        LockGuard<Integer> guard = ask(holder, orders).join();
        child.close();
        assertThat(owner.isClosed()).isTrue();

        assertThat(tree.runtime.status().activeLocks()).hasSize(1);
        guard.close();
        assertThat(tree.runtime.locksOfEndedContexts()).isEmpty();
    }

    @Test
    void aLockOfAnEndedContextServesOthersAndIsSeen() {
        ContextNode owner = tree.open("owner");
        ContextMutex<Integer> orders = owner.mutex("orders", 1);
        owner.close();
        LockGuard<Integer> guard = ask(tree.open("holder"), orders).join();
        CompletableFuture<LockGuard<Integer>> next = ask(tree.open("next"), orders);
        assertThat(tree.runtime.status().activeLocks()).hasSize(1);
        guard.close();
        assertThat(tree.runtime.status().activeLocks()).hasSize(1);
        next.join().close();
        assertThat(tree.runtime.status().activeLocks()).isEmpty();
    }

    @Test
    void aHolderThatEndsKeepsTheLock() {
        ContextMutex<Integer> orders = orders();
        ContextNode holder = tree.open("holder");
        LockGuard<Integer> guard = ask(holder, orders).join();
        holder.close();

        assertThat(orders.holder()).as("its critical section may still run").isSameAs(holder);
        guard.close();
    }

    @Test
    void withLockHoldsTheLockUntilTheStageOfTheWorkEnds() {
        ContextMutex<Integer> orders = orders();
        CompletableFuture<String> work = new CompletableFuture<>();
        CompletableFuture<String> result = orders.withLock(value -> {
                    assertThat(value).isEqualTo(1);
                    return work;
                })
                .toCompletableFuture();
        assertThat(orders.holder()).isSameAs(tree.root);
        List<FastnContext> holderAtResult = new ArrayList<>();
        var unused = result.thenRun(() -> holderAtResult.add(orders.holder()));
        work.complete("done");

        assertThat(result).isCompletedWithValue("done");
        assertThat(holderAtResult).hasSize(1).containsOnlyNulls();
    }

    @Test
    @SuppressWarnings("NullAway")
    void withLockReleasesWhateverTheWorkDoes() {
        ContextMutex<Integer> orders = orders();
        CompletableFuture<Object> failed = orders.withLock(
                        value -> CompletableFuture.failedFuture(new IllegalArgumentException("failed")))
                .toCompletableFuture();
        CompletableFuture<Object> thrown = orders.withLock(value -> {
                    throw new IllegalStateException("thrown");
                })
                .toCompletableFuture();
        CompletableFuture<Object> none = orders.withLock(value -> null).toCompletableFuture();

        assertFailure(failed).hasMessageContaining("failed");
        assertFailure(thrown).hasMessageContaining("thrown");
        assertFailure(none).hasMessageContaining("gave no stage");
        assertThat(orders.holder()).isNull();
    }

    @Test
    void withLockThatIsGivenUpWhileItWaitsDoesNotKeepTheLock() {
        ContextMutex<Integer> orders = orders();
        LockGuard<Integer> holder = orders.lock().toCompletableFuture().join();
        AtomicInteger ran = new AtomicInteger();
        CompletableFuture<Object> cancelled = orders.withLock(value -> {
                    ran.incrementAndGet();
                    return CompletableFuture.completedFuture(null);
                })
                .toCompletableFuture();
        CompletableFuture<Object> timedOut = orders.withLock(value -> {
                    ran.incrementAndGet();
                    return CompletableFuture.completedFuture(null);
                })
                .toCompletableFuture();
        cancelled.cancel(false);
        assertThat(orders.waiters()).isEqualTo(1);
        var unused = timedOut.orTimeout(1, TimeUnit.MILLISECONDS);
        await().until(timedOut::isDone);
        holder.close();

        assertThat(orders.holder()).isNull();
        assertThat(ran).hasValue(0);
    }

    @Test
    void withLockOfACancelledWaiterFailsAsLockDoes() {
        ContextMutex<Integer> orders = orders();
        LockGuard<Integer> holder = orders.lock().toCompletableFuture().join();
        ContextNode waiter = tree.open("waiter");
        CompletableFuture<Object> result;
        try (ContextScope ignored = waiter.makeCurrent()) {
            result = orders.withLock(value -> new CompletableFuture<>()).toCompletableFuture();
        }
        waiter.cancel();

        assertFailure(result).isInstanceOf(ContextCancelledException.class);
        holder.close();
    }

    @Test
    void askingForALockGettingItAndReleasingItAreSignsOfLife() {
        ContextNode first = tree.open("first");
        ContextNode second = tree.open("second");
        ContextMutex<Integer> orders = tree.root.mutex("orders", 1);
        tree.passSeconds(5);
        LockGuard<Integer> guard = ask(first, orders).join();
        assertThat(first.idleDuration()).isZero();
        tree.passSeconds(5);
        CompletableFuture<LockGuard<Integer>> waiting = ask(second, orders);
        assertThat(second.idleDuration()).isZero();
        tree.passSeconds(5);
        guard.close();
        assertThat(first.idleDuration()).isZero();
        assertThat(second.idleDuration()).isZero();
        waiting.join().close();
    }
}
