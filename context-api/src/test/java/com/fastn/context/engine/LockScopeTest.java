package com.fastn.context.engine;

import static com.fastn.context.engine.Failures.assertFailure;
import static com.fastn.context.engine.Patience.await;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fastn.context.ContextCancelledException;
import com.fastn.context.ContextEngine;
import com.fastn.context.ContextMutex;
import com.fastn.context.ContextReadWriteLock;
import com.fastn.context.ContextScope;
import com.fastn.context.ContextSemaphore;
import com.fastn.context.LockGuard;
import com.fastn.context.PermitGuard;
import com.fastn.context.SelfDeadlockException;
import com.fastn.context.WarningIds;
import com.fastn.context.status.StatusWarning;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What is inside a {@code withLock}, waits that block, and contexts that end. */
@SuppressWarnings("MustBeClosedChecker") // guards are closed by hand
class LockScopeTest {
    @RegisterExtension
    final TestTree tree = new TestTree();

    private ContextMutex<Integer> orders() {
        return tree.root.mutex("orders", 1);
    }

    private ContextMutex<Integer> stock() {
        return tree.root.mutex("stock", 2);
    }

    private static <T> CompletableFuture<T> as(ContextNode context, Supplier<? extends CompletionStage<T>> code) {
        try (ContextScope ignored = context.makeCurrent()) {
            return code.get().toCompletableFuture();
        }
    }

    // --- self-deadlock

    @Test
    void L7_aSecondLockInsideTheSameScopeFailsAtOnceAndNamesBothPlaces() {
        ContextNode alice = tree.open("alice");
        CompletableFuture<LockGuard<Integer>> inner = as(alice, () -> orders().withLock(value -> orders().lock()));

        assertFailure(inner)
                .isInstanceOf(SelfDeadlockException.class)
                .hasMessageStartingWith("mutex \"orders\" is held by app.alice in a scope that was begun by code of "
                        + LockScopeTest.class.getName() + ", and was asked for again inside of it at "
                        + LockScopeTest.class.getName())
                .hasMessageContaining("LockScopeTest.java:")
                .hasMessageEndingWith("it is not reentrant. Hand the value down instead, or let another branch ask");
        assertThat(orders().holder()).isNull();
        assertThat(orders().waiters()).isZero();
    }

    @Test
    void L7_alsoThroughScopesOfOtherLocksAndFromAHelperMethod() {
        assertFailure(orders().withLock(a -> stock().withLock(b -> helper())))
                .isInstanceOf(SelfDeadlockException.class);
        assertThat(orders().holder()).isNull();
        assertThat(stock().holder()).isNull();
    }

    private CompletionStage<Integer> helper() {
        return orders().withLock(CompletableFuture::completedFuture);
    }

    @Test
    void L7_whatIsAskedForInsideAnotherLocksScopeIsGranted() {
        assertThat(orders().withLock(a -> stock().withLock(b -> CompletableFuture.completedFuture(a + b))))
                .isCompletedWithValue(3);
    }

    @Test
    void L7_tryLockInsideTheScopeGivesNothing() {
        assertThat(orders().withLock(value -> {
                    try (LockGuard<Integer> tried = orders().tryLock()) {
                        return CompletableFuture.completedFuture(tried == null);
                    }
                }))
                .isCompletedWithValue(true);
    }

    @Test
    void L7_anotherContextThatAsksInsideOfTheScopeQueues() {
        ContextNode other = tree.open("other");
        List<CompletableFuture<LockGuard<Integer>>> asked = new ArrayList<>();
        assertThat(orders().withLock(value -> {
                    asked.add(as(other, () -> orders().lock()));
                    return CompletableFuture.completedFuture(asked.get(0).isDone());
                }))
                .isCompletedWithValue(false);
        asked.get(0).join().close();
    }

    @Test
    void L7_aBranchThatIsCalledBackInsideOfTheScopeQueues() {
        CompletableFuture<String> signal = new CompletableFuture<>();
        // A branch of the same context, and in the end in the same thread.
        CompletableFuture<LockGuard<Integer>> branch = signal.thenCompose(s -> orders().lock());
        orders().withLock(value -> {
            signal.complete("go");
            return CompletableFuture.completedFuture(value);
        });

        assertThat(branch).isCompleted();
        branch.join().close();
    }

    @Test
    void L7_aWaiterThatIsServedInsideOfTheScopeQueues() {
        LockGuard<Integer> held = stock().lock().toCompletableFuture().join();
        CompletableFuture<LockGuard<Integer>> branch =
                stock().withLock(b -> orders().lock()).toCompletableFuture();
        CompletionStage<Integer> releasing = orders().withLock(value -> {
            held.close();
            Waiter<?> served = ((FifoLock<?>) orders()).view().waiters().get(0).waiter();
            assertThat(requireNonNull(served.inside, "inside").outer())
                    .as("the scope that released is none of its own")
                    .isNull();
            return CompletableFuture.completedFuture(value);
        });
        assertThat(releasing).isCompletedWithValue(1);

        assertThat(branch).isCompleted();
        branch.join().close();
    }

    @Test
    void L7_afterTheFirstAsynchronousStepASecondLockQueuesAsTheOneOfABranch() {
        CompletableFuture<String> step = new CompletableFuture<>();
        CompletableFuture<LockGuard<Integer>> result = orders().withLock(
                        value -> step.thenCompose(s -> orders().lock()))
                .toCompletableFuture();
        step.complete("done");

        assertThat(result).isNotDone();
        assertThat(orders().waiters()).isEqualTo(1);
        tree.root.waits().forEach(wait -> wait.lock.giveUp(wait, new IllegalStateException("given up")));
        assertFailure(result).hasMessage("given up");
        assertThat(orders().holder()).isNull();
    }

    @Test
    void L7_aReaderThatWantsToWriteInsideOfItsScopeFailsAtOnce() {
        ContextReadWriteLock<Integer> prices = tree.root.readWriteLock("prices", 1);
        assertFailure(prices.withReadLock(value -> prices.writeLock())).isInstanceOf(SelfDeadlockException.class);
        assertFailure(prices.withWriteLock(value -> prices.readLock())).isInstanceOf(SelfDeadlockException.class);
        assertThat(prices.withReadLock(value -> prices.withReadLock(CompletableFuture::completedFuture)))
                .isCompletedWithValue(1);
    }

    @Test
    void L7_morePermitsThanTheScopeLeavesFailAtOnce() {
        ContextSemaphore pool = tree.root.semaphore("pool", 3);
        assertFailure(pool.withPermits(2, () -> pool.acquire(2))).isInstanceOf(SelfDeadlockException.class);
        assertThat(pool.withPermits(2, () -> pool.withPermit(() -> CompletableFuture.completedFuture("three"))))
                .isCompletedWithValue("three");
        PermitGuard elsewhere = pool.acquire().toCompletableFuture().join();
        CompletableFuture<PermitGuard> waits =
                pool.withPermits(2, () -> pool.acquire(1)).toCompletableFuture();
        assertThat(waits).as("somebody else may give one back").isNotDone();
        elsewhere.close();
        waits.join().close();
        assertThat(pool.availablePermits()).isEqualTo(3);
    }

    // --- what is proven of scopes that wait

    @Test
    void L14_aScopeWhoseStageIsMadeOfAWaitIsSeenToWait() {
        LockGuard<Integer> held = stock().lock().toCompletableFuture().join();
        CompletableFuture<Integer> nested = orders().withLock(a ->
                        stock().withLock(CompletableFuture::completedFuture).thenApply(b -> a + b))
                .toCompletableFuture();
        assertThat(scopesThatWait()).extracting(Grant::lockName).containsExactly("orders");
        held.close();
        assertThat(nested).isCompletedWithValue(3);
    }

    @Test
    void L14_aScopeThatDoesNotWaitForWhatWasAskedInItIsNotSeenTo() {
        LockGuard<Integer> held = stock().lock().toCompletableFuture().join();
        List<CompletableFuture<LockGuard<Integer>>> asked = new ArrayList<>();
        CompletableFuture<String> elsewhere = new CompletableFuture<>();
        orders().withLock(a -> {
            asked.add(stock().lock().toCompletableFuture());
            return elsewhere;
        });
        assertThat(scopesThatWait()).isEmpty();
        elsewhere.complete("done");
        held.close();
        asked.get(0).join().close();
    }

    @Test
    void L14_aScopeThatSomethingElseMayEndIsNotSeenToWait() {
        LockGuard<Integer> held = stock().lock().toCompletableFuture().join();
        CompletableFuture<Object> other = new CompletableFuture<>();
        CompletableFuture<Object> result = orders().withLock(
                        a -> stock().lock().toCompletableFuture().applyToEither(other.thenApply(o -> held), guard ->
                                (Object) guard))
                .toCompletableFuture();
        assertThat(scopesThatWait()).isEmpty();
        other.complete("first");
        assertThat(result).isCompleted();
        held.close();
        assertThat(stock().holder())
                .as("the guard came too late for the one who asked")
                .isNotNull();
    }

    // --- scopes that had to wait for their own lock

    private ContextMutex<Integer> prices() {
        return tree.root.mutex("prices", 3);
    }

    @Test
    void L7_alsoThroughAScopeThatHadToWaitForItsLock() {
        ContextNode alice = tree.open("alice");
        LockGuard<Integer> held = stock().lock().toCompletableFuture().join();
        CompletableFuture<Integer> result = as(
                alice,
                () -> orders().withLock(
                                a -> stock().withLock(b -> orders().withLock(CompletableFuture::completedFuture))));
        assertThat(result).isNotDone();
        held.close();

        assertFailure(result)
                .isInstanceOf(SelfDeadlockException.class)
                .hasMessageStartingWith("mutex \"orders\" is held by app.alice in a scope");
        assertThat(orders().holder()).isNull();
        assertThat(stock().holder()).isNull();
    }

    @Test
    void L7_whereTheOuterScopeDoesNotWaitForTheOneThatHadToWaitASecondLockQueues() {
        LockGuard<Integer> held = stock().lock().toCompletableFuture().join();
        List<CompletableFuture<LockGuard<Integer>>> asked = new ArrayList<>();
        CompletableFuture<Integer> elsewhere = new CompletableFuture<>();
        CompletionStage<Integer> outer = orders().withLock(a -> {
            asked.add(stock().withLock(b -> orders().lock()).toCompletableFuture());
            return elsewhere;
        });
        held.close();
        assertThat(asked.get(0)).isNotDone();
        elsewhere.complete(7);
        assertThat(outer).isCompletedWithValue(7);
        asked.get(0).join().close();
    }

    @Test
    void L14_aScopeIsSeenToWaitThroughOneThatHadToWaitForItsLock() {
        LockGuard<Integer> heldStock = stock().lock().toCompletableFuture().join();
        LockGuard<Integer> heldPrices = prices().lock().toCompletableFuture().join();
        CompletableFuture<Integer> nested = orders().withLock(
                        a -> stock().withLock(b -> prices().withLock(CompletableFuture::completedFuture)))
                .toCompletableFuture();
        heldStock.close();
        assertThat(scopesThatWaitFor(prices())).containsExactly("stock", "orders");
        heldPrices.close();
        assertThat(nested).isCompletedWithValue(3);
    }

    @Test
    void L14_aScopeThatGaveSomethingElseIsNotSeenToWaitThroughOneThatHadToWait() {
        LockGuard<Integer> heldStock = stock().lock().toCompletableFuture().join();
        LockGuard<Integer> heldPrices = prices().lock().toCompletableFuture().join();
        List<CompletableFuture<Integer>> asked = new ArrayList<>();
        CompletableFuture<Integer> elsewhere = new CompletableFuture<>();
        orders().withLock(a -> {
            asked.add(stock().withLock(b -> prices().withLock(CompletableFuture::completedFuture))
                    .toCompletableFuture());
            return elsewhere;
        });
        heldStock.close();
        assertThat(scopesThatWaitFor(prices())).containsExactly("stock");
        elsewhere.complete(1);
        heldPrices.close();
        assertThat(asked.get(0)).isCompletedWithValue(3);
    }

    @Test
    void L14_aThreadThatBlocksInAScopeThatHadToWaitIsNotInTheOuterOne() throws InterruptedException {
        LockGuard<Integer> heldStock = stock().lock().toCompletableFuture().join();
        LockGuard<Integer> heldPrices = prices().lock().toCompletableFuture().join();
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        // The outer work has asked, and has not given what ends it.
        Thread outer = new Thread(() -> orders().withLock(a -> {
            stock().withLock(b -> {
                try (LockGuard<Integer> guard = prices().lockBlocking()) {
                    return CompletableFuture.completedFuture(guard.value());
                }
            });
            asked.countDown();
            awaitQuietly(goOn);
            return CompletableFuture.completedFuture(a);
        }));
        outer.start();
        asked.await();
        Thread inner = new Thread(heldStock::close);
        inner.start();
        await().until(() -> prices().waiters() == 1);
        assertThat(scopesThatWaitFor(prices())).containsExactly("stock");
        goOn.countDown();
        outer.join();
        heldPrices.close();
        inner.join();
        assertThat(stock().holder()).isNull();
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void ofWorkThatAsksAgainAndAgainAndWaitsForNothingNothingIsKept() {
        // Each piece of work asks for the other lock, in turns, and is over before that is granted.
        LockGuard<Integer> held = orders().lock().toCompletableFuture().join();
        pump(orders(), stock());
        for (int i = 0; i < 5; i++) {
            LockGuard<Integer> next = (i % 2 == 0 ? stock() : orders())
                    .lock()
                    .toCompletableFuture()
                    .join();
            held.close();
            FifoLock<?> waitedFor = (FifoLock<?>) (i % 2 == 0 ? stock() : orders());
            Scope inside = requireNonNull(waitedFor.view().waiters().get(0).waiter().inside, "inside");
            assertThat(inside.outer()).isNull();
            assertThat(((Waiter<?>) inside.grant).inside).isNull();
            held = next;
        }
        tree.root.waits().forEach(wait -> wait.lock.giveUp(wait, new IllegalStateException("enough")));
        held.close();
    }

    private void pump(ContextMutex<Integer> now, ContextMutex<Integer> then) {
        now.withLock(value -> {
            pump(then, now);
            return CompletableFuture.completedFuture(value);
        });
    }

    @Test
    void ofWorkThatAsksAgainAndAgainAndThrowsNothingIsKept() {
        AtomicReference<LockGuard<Integer>> behind = new AtomicReference<>();
        AtomicInteger rounds = new AtomicInteger();
        AtomicInteger deepest = new AtomicInteger();
        asksAndThrows(orders(), stock(), rounds, behind, deepest);
        for (LockGuard<Integer> next = behind.getAndSet(null); next != null; next = behind.getAndSet(null)) {
            next.close();
        }
        assertThat(rounds).hasValue(ROUNDS);
        assertThat(deepest.get()).isLessThanOrEqualTo(2);
    }

    private static final int ROUNDS = 50;

    /** Each piece of work waits for the other lock, in turns, and throws before that is granted. */
    private void asksAndThrows(
            ContextMutex<Integer> now,
            ContextMutex<Integer> then,
            AtomicInteger rounds,
            AtomicReference<LockGuard<Integer>> behind,
            AtomicInteger deepest) {
        var unused = now.withLock(value -> {
            int depth = 0;
            for (Scope at = tree.runtime.scopes().get(); at != null; at = at.outer()) {
                depth++;
            }
            deepest.accumulateAndGet(depth, Math::max);
            if (rounds.incrementAndGet() < ROUNDS) {
                LockGuard<Integer> held = requireNonNull(then.tryLock());
                asksAndThrows(then, now, rounds, behind, deepest);
                behind.set(held);
            }
            throw new IllegalStateException("no");
        });
    }

    private static List<String> scopesThatWaitFor(ContextMutex<?> lock) {
        return ((FifoLock<?>) lock)
                .view().waiters().get(0).scopesThatWait().stream()
                        .map(Grant::lockName)
                        .toList();
    }

    // --- scopes whose work moves from thread to thread

    private ContextEngine.LockScope take() {
        return ContextEngine.get().takeScope(tree.runtime, "the code");
    }

    private <R> CompletionStage<R> inside(ContextEngine.LockScope scope, Supplier<CompletionStage<R>> ask) {
        ContextEngine.LockScope before = ContextEngine.get().enterScope(tree.runtime, scope);
        try {
            return ask.get();
        } finally {
            assertThat(ContextEngine.get().enterScope(tree.runtime, before)).isSameAs(scope);
        }
    }

    @Test
    void L7_L14_whatABindingSaysIsInsideOfAScopeIsInsideOfItAlsoWhereBothWereWaitedFor() {
        LockGuard<Integer> heldOrders = orders().lock().toCompletableFuture().join();
        LockGuard<Integer> heldStock = stock().lock().toCompletableFuture().join();
        List<ContextEngine.LockScope> scopes = new ArrayList<>();
        CompletableFuture<Integer> ends = new CompletableFuture<>();
        CompletionStage<Integer> outer = orders().withLock(value -> {
            scopes.add(take());
            assertThat(tree.runtime.scopes().get()).as("on the thread").isNull();
            return ends;
        });
        heldOrders.close();
        assertThat(tree.runtime.scopes().get()).isNull();
        CompletionStage<Integer> inner = inside(
                scopes.get(0),
                () -> stock().withLock(value -> {
                    scopes.add(take());
                    return ends;
                }));
        assertThat(scopesThatWait()).extracting(Grant::lockName).containsExactly("orders");
        heldStock.close();
        assertThat(tree.runtime.scopes().get()).isNull();

        assertFailure(inside(scopes.get(1), () -> orders().withLock(CompletableFuture::completedFuture)))
                .isInstanceOf(SelfDeadlockException.class)
                .hasMessageContaining("in a scope that was begun by code of java.lang.String");
        // The thread itself is inside of nothing.
        CompletableFuture<LockGuard<Integer>> queued = orders().lock().toCompletableFuture();
        ends.complete(1);
        assertThat(inner).isCompletedWithValue(1);
        assertThat(outer).isCompletedWithValue(1);
        queued.join().close();
        assertThatIllegalStateException().isThrownBy(this::take);
    }

    private List<Grant<?>> scopesThatWait() {
        FifoLock<?> stock = (FifoLock<?>) stock();
        return stock.view().waiters().get(0).scopesThatWait();
    }

    // --- waits that block

    @Test
    void aThreadWaitsForTheLock() throws InterruptedException {
        LockGuard<Integer> held = orders().lock().toCompletableFuture().join();
        ContextNode worker = tree.open("worker");
        AtomicReference<@Nullable Integer> seen = new AtomicReference<>();
        Thread thread = new Thread(worker.wrap(() -> {
            try (LockGuard<Integer> guard = orders().lockBlocking()) {
                seen.set(guard.value());
            }
        }));
        thread.start();
        await().until(() -> orders().waiters() == 1);
        assertThat(seen).hasNullValue();
        held.close();
        thread.join();

        assertThat(seen).hasValue(1);
        assertThat(orders().holder()).isNull();
        assertThat(worker.waits()).isEmpty();
    }

    @Test
    void aThreadThatWaitsForATimeGetsNothingWhenItIsOver() {
        try (LockGuard<Integer> ignored = orders().lock().toCompletableFuture().join();
                LockGuard<Integer> late = orders().lockBlocking(Duration.ofMillis(1))) {
            assertThat(late).isNull();
        }
        assertThat(orders().waiters()).isZero();
        assertThat(tree.runtime.timers().pending()).isZero();
    }

    @Test
    void aThreadThatIsInterruptedLeavesTheQueueAndKeepsItsFlag() throws InterruptedException {
        LockGuard<Integer> held = orders().lock().toCompletableFuture().join();
        AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
        AtomicReference<@Nullable Boolean> flag = new AtomicReference<>();
        Thread thread = new Thread(() -> {
            try (LockGuard<Integer> guard = orders().lockBlocking()) {
                guard.value();
            } catch (CancellationException e) {
                thrown.set(e);
                flag.set(Thread.currentThread().isInterrupted());
            }
        });
        thread.start();
        await().until(() -> orders().waiters() == 1);
        thread.interrupt();
        thread.join();

        assertThat(thrown.get()).hasMessage("the wait of app for mutex \"orders\" was interrupted");
        assertThat(flag).hasValue(true);
        assertThat(orders().waiters()).isZero();
        held.close();
        assertThat(orders().holder()).isNull();
    }

    @Test
    void aThreadIsToldWhenItsContextIsCancelled() throws InterruptedException {
        LockGuard<Integer> held = orders().lock().toCompletableFuture().join();
        ContextNode worker = tree.open("worker");
        AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
        Thread thread = new Thread(worker.wrap(() -> {
            try (LockGuard<Integer> guard = orders().lockBlocking()) {
                guard.value();
            } catch (ContextCancelledException e) {
                thrown.set(e);
            }
        }));
        thread.start();
        await().until(() -> orders().waiters() == 1);
        worker.cancel("stop");
        thread.join();

        assertThat(thrown.get())
                .hasMessage("mutex \"orders\" was not given to app.worker, which was cancelled: stop (app.worker)");
        held.close();
    }

    @Test
    void onAnEventLoopAWaitThatBlocksIsRefusedEvenIfTheLockIsFree() {
        TestTree bound = new TestTree(new FakeLoop.Binding());
        ContextMutex<Integer> free = bound.root.mutex("orders", 1);
        ContextSemaphore pool = bound.root.semaphore("pool", 1);
        new FakeLoop().run(() -> {
            assertThatIllegalStateException()
                    .isThrownBy(free::lockBlocking)
                    .withMessage(
                            "mutex \"orders\" was asked for by app in a way that blocks, on an event loop, which must not be"
                                    + " held up; use the form that gives a stage, or a worker or virtual thread");
            assertThatIllegalStateException().isThrownBy(() -> free.lockBlocking(Duration.ZERO));
            assertThatIllegalStateException().isThrownBy(() -> pool.acquireBlocking(1));
        });
        assertThat(free.holder()).isNull();
    }

    @Test
    void L7_aThreadThatWouldBlockInsideOfTheScopeFailsAtOnceWhateverCalledIt() {
        CompletableFuture<String> signal = new CompletableFuture<>();
        CompletableFuture<Integer> branch = signal.thenApply(s -> {
            try (LockGuard<Integer> guard = orders().lockBlocking()) {
                return guard.value();
            }
        });
        orders().withLock(value -> {
            signal.complete("go");
            return CompletableFuture.completedFuture(value);
        });
        assertFailure(branch).hasCauseInstanceOf(SelfDeadlockException.class);
    }

    // --- contexts that end

    @Test
    void C9_aWaitEndsWithItsContextAlsoWhenThatIsNotCancelled() {
        LockGuard<Integer> held = orders().lock().toCompletableFuture().join();
        ContextNode task = tree.open("task");
        CompletableFuture<LockGuard<Integer>> waiting = as(task, () -> orders().lock());
        CompletableFuture<LockGuard<Integer>> behind = as(tree.open("behind"), () -> orders().lock());
        task.close();

        assertFailure(waiting)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage(
                        "mutex \"orders\" was not given to app.task, which has ended; lock in a context that is open");
        assertThat(orders().waiters()).isEqualTo(1);
        held.close();
        behind.join().close();
    }

    @Test
    void C9_aContextThatEndsByItselfWaitsForItsLocks() {
        LockGuard<Integer> held = orders().lock().toCompletableFuture().join();
        ContextNode message = tree.open("message");
        CompletableFuture<Boolean> open =
                as(message, () -> orders().withLock(v -> CompletableFuture.completedFuture(!message.isClosed())));
        message.closeWhenDone();
        assertThat(message.isClosed()).isFalse();
        held.close();

        assertThat(open).isCompletedWithValue(true);
        assertThat(message.isClosed()).isTrue();
    }

    @Test
    void L10_aGuardEndsWithItsContextWhereThatIsAskedFor() {
        orders().setAutoReleaseOnEnd(true);
        ContextNode task = tree.open("task");
        LockGuard<Integer> guard = as(task, () -> orders().lock()).join();
        CompletableFuture<LockGuard<Integer>> next = as(tree.open("next"), () -> orders().lock());
        task.close();

        assertThat(next).isCompleted();
        assertThat(next.join().fence()).isGreaterThan(guard.fence());
        assertThatIllegalStateException().isThrownBy(guard::value);
        assertThat(tree.runtime.misuses())
                .containsExactly(
                        "1x a guard of mutex \"orders\" was still open when its context ended; it was closed, as"
                                + " setAutoReleaseOnEnd(true) says: close it where its work ends, or use withLock;"
                                + " the first was that of app.task");
        next.join().close();
        assertThat(orders().holder()).isNull();
    }

    @Test
    void L10_aGuardThatWasClosedInTimeIsForgotten() {
        orders().setAutoReleaseOnEnd(true);
        ContextNode task = tree.open("task");
        for (int i = 0; i < 3; i++) {
            as(task, () -> orders().lock()).join().close();
        }
        assertThat(task.extras().releasedWithEnd).as("nothing is kept of it").isEmpty();
        LockGuard<Integer> other = as(tree.open("other"), () -> orders().lock()).join();
        task.close();
        assertThat(orders().holder()).isNotNull();
        assertThat(tree.runtime.misuses()).isEmpty();
        other.close();
    }

    @Test
    void L10_whatWithLockHoldsDoesNotEndWithItsContext() {
        orders().setAutoReleaseOnEnd(true);
        ContextNode task = tree.open("task");
        CompletableFuture<String> work = new CompletableFuture<>();
        CompletableFuture<String> result = as(task, () -> orders().withLock(v -> work));
        task.close();
        assertThat(orders().holder()).as("its work still runs").isSameAs(task);
        assertThat(tree.runtime.status().warnings())
                .extracting(StatusWarning::id)
                .doesNotContain(WarningIds.LOCK_LEAKED);
        work.complete("done");
        assertThat(result).isCompletedWithValue("done");
        assertThat(orders().holder()).isNull();
    }

    // --- places

    @Test
    void whereALockIsTakenIsKnownFromItsFirstLongWaitOn() {
        FifoLock<?> orders = (FifoLock<?>) orders();
        LockGuard<Integer> first = orders().lock().toCompletableFuture().join();
        assertThat(orders.view().holders().get(0).place()).isNull();
        CompletableFuture<LockGuard<Integer>> waiting = orders().lock().toCompletableFuture();
        tree.passSeconds(6);
        first.close();
        waiting.join().close();
        LockGuard<Integer> after = orders().lock().toCompletableFuture().join();

        assertThat(orders.view().holders().get(0).place())
                .isNotNull()
                .first()
                .extracting(StackTraceElement::getClassName)
                .isEqualTo(LockScopeTest.class.getName());
        after.close();
    }

    @Test
    void aLongWaitIsAlsoNoticedByWhoeverLooks() {
        FifoLock<?> orders = (FifoLock<?>) orders();
        LockGuard<Integer> first = orders().lock().toCompletableFuture().join();
        CompletableFuture<LockGuard<Integer>> waiting = orders().lock().toCompletableFuture();
        tree.passSeconds(6);
        tree.runtime.status();
        CompletableFuture<LockGuard<Integer>> second = orders().lock().toCompletableFuture();
        assertThat(orders.view().waiters().get(1).place()).isNotNull();
        first.close();
        waiting.join().close();
        second.join().close();
    }

    // --- the view

    @Test
    void theGenerationDiffersAfterEachChange() {
        FifoLock<?> orders = (FifoLock<?>) orders();
        List<Long> generations = new ArrayList<>();
        generations.add(orders.view().generation());
        for (int i = 0; i < 2; i++) {
            LockGuard<Integer> held = orders().lock().toCompletableFuture().join();
            generations.add(orders.view().generation());
            assertThat(orders.view().generation()).isEqualTo(generations.get(generations.size() - 1));
            CompletableFuture<LockGuard<Integer>> left = orders().lock().toCompletableFuture();
            generations.add(orders.view().generation());
            CompletableFuture<LockGuard<Integer>> next = orders().lock().toCompletableFuture();
            generations.add(orders.view().generation());
            left.cancel(false);
            generations.add(orders.view().generation());
            held.close();
            generations.add(orders.view().generation());
            next.join().close();
            generations.add(orders.view().generation());
        }
        assertThat(generations).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void whoQueuesIsToldWhenTheWaitCanBeFound() {
        List<String> told = new ArrayList<>();
        tree.runtime.onQueued(waiter -> {
            told.add(waiter.by.name() + " " + waiter.by.waits().contains(waiter));
            assertThat(waiter.lock.view().waiters())
                    .anySatisfy(waiting -> assertThat(waiting.waiter()).isSameAs(waiter));
        });
        LockGuard<Integer> held = orders().lock().toCompletableFuture().join();
        CompletableFuture<LockGuard<Integer>> waiting = as(tree.open("task"), () -> orders().lock());
        assertThat(told).containsExactly("task true");
        held.close();
        waiting.join().close();
    }

    @Test
    void aWaitThatIsGivenUpFromOutsideFailsUnlessItWasGranted() {
        LockGuard<Integer> held = orders().lock().toCompletableFuture().join();
        ContextNode task = tree.open("task");
        CompletableFuture<LockGuard<Integer>> waiting = as(task, () -> orders().lock());
        Waiter<?> waiter = task.waits().get(0);
        CompletableFuture<LockGuard<Integer>> second = as(task, () -> orders().lock());
        Waiter<?> later = task.waits().get(1);

        assertThat(waiter.lock.giveUp(waiter, new IllegalStateException("deadlock")))
                .isTrue();
        assertThat(waiter.lock.giveUp(waiter, new IllegalStateException("deadlock")))
                .isFalse();
        assertFailure(waiting).hasMessage("deadlock");
        held.close();
        assertThat(later.lock.giveUp(later, new IllegalStateException("deadlock")))
                .isFalse();
        second.join().close();
        assertThatThrownBy(() -> second.join().value()).isInstanceOf(IllegalStateException.class);
        assertThat(task.waits()).isEmpty();
    }
}
